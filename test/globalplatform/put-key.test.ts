/**
 * PUT KEY, written, and read again. Published sources:
 *  - a dialogue of a real card (SCP02 i = 55, factory set FF with 40…4F) in which its keys are moved to version 01, as posted in a
 *    public Java Card forum
 *  - GlobalPlatformPro's own examples of enciphered keys and check values
 */
import { createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AesKeyForm, putKey, putKeyAnswer, type WrappedKey } from '../../app/globalplatform/put-key.ts';
import {
  keyCheckValue,
  wrapUnderSessionDek,
  wrapUnderStaticDek,
} from '../support/globalplatform/key-wrapping.ts';
import { readPutKey } from '../support/globalplatform/put-key-reading.ts';
import { parseInitializeUpdate, parseKeyInformation } from './answers.ts';
import { deriveSessionKeys, openChannel, predictScp02CardChallenge } from './channels.ts';
import { concat, decodeCommand, encodeCommand, fromHex, toAid, toHex } from './commands.ts';

describe('a real card moved from its factory keys, FF, to version 01', () => {
  const answer = fromHex('00000000000000000000FF0200577E919A33292DAC759095BE94B8DC');
  const sent =
    '80D800814301801014D7E04767395F62561FAE76AB69EB3E038BAF47801014D7E04767395F62561FAE76AB69EB3E038BAF47801014D7E04767395F62561FAE76AB69EB3E038BAF4700';
  const said = '018BAF478BAF478BAF47';

  it('authenticates as published', async () => {
    const channel = await openChannel(
      {
        scp: '02',
        i: 0x55,
        securityLevel: 0x00,
        hostChallenge: fromHex('F2A5FA8BEF9F8A51'),
        response: parseInitializeUpdate(answer),
      },
      { sessionKeys: (context) => Promise.resolve(deriveSessionKeys(DEFAULT_KEYS, context)) },
    );
    expect(toHex(channel.externalAuthenticate())).toBe('8482000010F4A3AF0F06816EC8BE390B1FE8FD4539');
  });

  it('gets exactly the published PUT KEY', () => {
    const { dek } = deriveSessionKeys(DEFAULT_KEYS, { scp: '02', sequenceCounter: fromHex('0057') });
    const key = wrapUnderSessionDek(dek ?? DEFAULT, 'des', DEFAULT);
    const command = putKey({ newVersion: 0x01, keys: [key, key, key] });
    expect(toHex(encodeCommand(command))).toBe(sent);
    expect(toHex(putKeyAnswer(0x01, [key, key, key]))).toBe(said);
  });

  it('is read back: the command, and the key information before it', () => {
    const { newVersion, keys, aesKeyForm } = readPutKey(decodeCommand(fromHex(sent)).data ?? DEFAULT);
    expect([newVersion, keys.length, aesKeyForm]).toEqual([1, 3, undefined]);
    expect(keys.map((key) => [key.kind, key.length, toHex(key.checkValue)])).toEqual(
      [1, 2, 3].map(() => ['des', 16, '8BAF47']),
    );
    const before = parseKeyInformation(fromHex('E012C00401FF8010C00402FF8010C00403FF8010'));
    expect(before.map((key) => [key.keyId, key.keyVersion])).toEqual([
      [1, 0xff],
      [2, 0xff],
      [3, 0xff],
    ]);
  });

  it('gives the challenge that its counter foretells', () => {
    const keys = deriveSessionKeys(DEFAULT_KEYS, { scp: '02', sequenceCounter: fromHex('0057') });
    expect(toHex(predictScp02CardChallenge(keys.mac, toAid('A000000003000000')))).toBe('7E919A33292D');
  });
});

describe('keys enciphered as others publish them', () => {
  it('under the session DEK of counter 0000', () => {
    const { dek } = deriveSessionKeys(DEFAULT_KEYS, { scp: '02', sequenceCounter: fromHex('0000') });
    const { cipher, checkValue } = wrapUnderSessionDek(dek ?? DEFAULT, 'des', DEFAULT);
    expect([toHex(cipher), toHex(checkValue)]).toEqual(['EFBEE6C6D99D7B70BDE9D7E927F020AF', '8BAF47']);
  });

  it('an AES key under an SCP02 DEK', () => {
    const { cipher, checkValue } = wrapUnderSessionDek(
      fromHex('C61DF24D2C9A770E32E969984B5B7074'),
      'aes',
      DEFAULT,
    );
    expect([toHex(cipher), toHex(checkValue)]).toEqual(['B23034FA4329DE9AD8E91583618813B3', '504A77']);
  });

  it.each([16, 24, 32])('an AES key of %i bytes under a static DEK comes out again', (length) => {
    const key = Uint8Array.from({ length }, (_, i) => 0xa0 + i);
    const wrapped = wrapUnderStaticDek(DEFAULT, 'aes', key);
    const decipher = createDecipheriv('aes-128-cbc', DEFAULT, new Uint8Array(16)).setAutoPadding(false);
    const clear = concat(decipher.update(wrapped.cipher), decipher.final());
    expect(toHex(clear.slice(0, length))).toBe(toHex(key));
    expect(clear.length % 16).toBe(0);
    expect(wrapped.checkValue).toEqual(keyCheckValue('aes', key));
  });
});

/** A key whose cipher is easy to see. */
function aes(length: 16 | 24 | 32, fill: number): WrappedKey {
  const cipher = new Uint8Array(length === 16 ? 16 : 32).fill(fill);
  return { kind: 'aes', length, cipher, checkValue: Uint8Array.of(fill, fill, fill) };
}

describe('PUT KEY, byte for byte', () => {
  const field = (fill: string, bytes: number) => fill.repeat(bytes);

  it.each([
    ['with-length', '8811', '10'],
    ['without-length', '8810', ''],
  ] as const)('one AES-128 key %s, replacing version 20', (aesKeyForm, head, length) => {
    const command = putKey({
      newVersion: 0x30,
      replaces: 0x20,
      firstKeyId: 2,
      keys: [aes(16, 0xaa)],
      aesKeyForm,
    });
    const data = `30${head}${length}${field('AA', 16)}03AAAAAA`;
    expect(toHex(encodeCommand(command))).toBe(
      `80D82002${(data.length / 2).toString(16).toUpperCase()}${data}00`,
    );
  });

  it('AES-192 and AES-256 take two blocks each', () => {
    const keys = [aes(24, 0x11), aes(32, 0x22)];
    const { data, p2 } = putKey({ newVersion: 0x30, keys });
    expect(p2).toBe(0x81);
    expect(toHex(data ?? DEFAULT)).toBe(`30882118${field('11', 32)}03111111882120${field('22', 32)}03222222`);
  });

  it('refuses what no card takes', () => {
    const keys = [aes(16, 1)];
    expect(() => putKey({ newVersion: 0x80, keys })).toThrow(RangeError);
    expect(() => putKey({ newVersion: 0x00, keys })).toThrow(RangeError);
    expect(() => putKey({ newVersion: 0x30, replaces: 0xff, keys })).toThrow(RangeError);
    expect(() => putKey({ newVersion: 0x30, keys: [] })).toThrow(RangeError);
    expect(() => putKey({ newVersion: 0x30, keys: Array.from({ length: 8 }, () => aes(32, 1)) })).toThrow(
      'longer than 255',
    );
    const cut = { ...aes(16, 1), cipher: new Uint8Array(15) };
    expect(() => putKey({ newVersion: 0x30, keys: [cut] })).toThrow(RangeError);
  });
});

describe('read again', () => {
  it('gives back what was written, in either form', () => {
    const key = fc
      .constantFrom<16 | 24 | 32>(16, 24, 32)
      .chain((length) =>
        fc
          .tuple(
            fc.uint8Array({ minLength: length === 16 ? 16 : 32, maxLength: length === 16 ? 16 : 32 }),
            fc.uint8Array({ minLength: 3, maxLength: 3 }),
          )
          .map(([cipher, checkValue]): WrappedKey => ({ kind: 'aes', length, cipher, checkValue })),
      );
    const forms = fc.constantFrom<AesKeyForm>('with-length', 'without-length');
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 3 }), forms, (keys, aesKeyForm) => {
        const read = readPutKey(putKey({ newVersion: 0x30, keys, aesKeyForm }).data ?? DEFAULT);
        // Without its length a 24-byte key cannot be told from a 32-byte one.
        const expected =
          aesKeyForm === 'with-length' ? keys : keys.map((one) => ({ ...one, length: one.cipher.length }));
        expect(read).toEqual({ newVersion: 0x30, keys: expected, aesKeyForm });
      }),
    );
  });
});

const DEFAULT = fromHex('404142434445464748494A4B4C4D4E4F');

const DEFAULT_KEYS = { enc: DEFAULT, mac: DEFAULT, dek: DEFAULT };
