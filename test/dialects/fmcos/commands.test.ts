/**
 * FMCOS commands byte for byte. The card's side is played by OpenSSL through node:crypto alone, written here from the dialect's
 * description, so that a mistake in the algorithms shows.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { toAid } from '../../../app/card/aid.ts';
import { encodeCommand } from '../../../app/card/apdu.ts';
import { concat, fromHex, toHex, xor } from '../../../app/card/bytes.ts';
import {
  externalAuthenticate,
  getBalance,
  getChallenge,
  parseBalance,
  readBinary,
  selectApplication,
  updateBinaryWithMac,
  writeKey,
} from '../../../app/dialects/fmcos/commands.ts';
import { FmcosFormatError } from '../../../app/dialects/fmcos/errors.ts';
import type { FmcosKeys, KeyWriteRequest } from '../../../app/dialects/fmcos/keys.ts';
import { keyBytes } from '../../support/fmcos/key-bytes.ts';

describe('commands without a key', () => {
  it.each([
    [selectApplication(toAid('F04B41494B41010001')), '00A4040009F04B41494B4101000100'],
    [getChallenge(), '0084000004'],
    [readBinary(0x15, 0, 30), '00B095001E'],
    [readBinary(0x15, 8, 1), '00B0950801'],
    [getBalance(), '805C000204'],
  ])('%#', (command, bytes) => {
    expect(toHex(encodeCommand(command))).toBe(bytes);
  });

  it('balance', () => {
    expect(parseBalance(fromHex('00002710'))).toBe(10_000);
    expect(parseBalance(fromHex('FFFFFFFF'))).toBe(4_294_967_295);
    expect(parseBalance(fromHex('0000'))).toBeUndefined();
  });

  it('refuses what does not fit', () => {
    expect(() => readBinary(0x15, 256, 1)).toThrow(FmcosFormatError);
    expect(() => readBinary(0x00, 0, 1)).toThrow('short file id');
    expect(() => readBinary(0x1f, 0, 1)).toThrow('short file id');
    expect(() => readBinary(0x15, 0, 257)).toThrow('length outside 1 to 256');
  });
});

describe('EXTERNAL AUTHENTICATE', () => {
  it('enciphers the 4-byte challenge followed by zeros', async () => {
    const command = await externalAuthenticate(keyBytes, KEY, CHALLENGE);
    const expected = toHex(triple(KEY, fromHex('9B361B2600000000')));
    expect(toHex(encodeCommand(command))).toBe(`0082000008${expected}`);
  });

  it('never takes a challenge that a station could have chosen whole', async () => {
    await expect(externalAuthenticate(keyBytes, KEY, fromHex('9B361B26CB9FA8C8'))).rejects.toThrow(
      FmcosFormatError,
    );
  });
});

describe('WRITE KEY (replace)', () => {
  const request: KeyWriteRequest<Uint8Array> = {
    under: KEY,
    newKey: NEW_KEY,
    p1: 0x39,
    keyId: 0x00,
    header: MCK,
    challenge: CHALLENGE,
  };

  it.each([
    ['master control key', request, '84D439001C', '15F9F0AAAA33'],
    ['maintenance key', { ...request, p1: 0x36, header: MTK }, '84D436001C', '15F6F0AAFF33'],
  ] as const)(
    '%s: the card finds length, record and padding, and the MAC is right',
    async (_, given, head, record) => {
      const bytes = encodeCommand(await writeKey(keyBytes, given));
      expect(bytes).toHaveLength(33);
      expect(toHex(bytes.slice(0, 5))).toBe(head);
      expect(decipher(KEY, bytes.slice(5, 29))).toBe(`${record}${toHex(NEW_KEY)}8000`);
      expect(toHex(bytes.slice(29))).toBe(cardMac(KEY, CHALLENGE, bytes.slice(0, 29)));
    },
  );

  it('wipes nothing that is not its own', async () => {
    const mine = { under: KEY.slice(), newKey: NEW_KEY.slice() };
    await writeKey(keyBytes, { ...request, ...mine });
    expect(mine.under).toEqual(KEY);
    expect(mine.newKey).toEqual(NEW_KEY);
  });

  it.each([
    ['a type inside without C0', { header: { ...MCK, typeInside: 0x39 } }],
    ['the other key inside', { header: MTK }],
    ['another key type', { p1: 0x3a, header: { ...MCK, typeInside: 0xfa } }],
    ['an 8-byte challenge', { challenge: new Uint8Array(8) }],
  ])('refuses %s before any key is used', async (_, change) => {
    const untouched: FmcosKeys<Uint8Array> = {
      ...keyBytes,
      keyWrite: () => Promise.reject(new Error('the key was used')),
    };
    await expect(writeKey(untouched, { ...request, ...change })).rejects.toThrow(FmcosFormatError);
  });

  it('refuses an answer of the port that is not 28 bytes', async () => {
    const short = { ...keyBytes, keyWrite: () => Promise.resolve(new Uint8Array(24)) };
    await expect(writeKey(short, request)).rejects.toThrow('another length than 28');
  });
});

describe('UPDATE BINARY with MAC', () => {
  it('carries data and a MAC over the header as it is sent', async () => {
    const data = fromHex('0101');
    const command = await updateBinaryWithMac(keyBytes, KEY, {
      sfi: 0x15,
      offset: 8,
      data,
      challenge: CHALLENGE,
    });
    const mac = cardMac(KEY, CHALLENGE, fromHex('04D69508060101'));
    expect(toHex(encodeCommand(command))).toBe(`04D69508060101${mac}`);
  });

  it('pads when the message fills its last block, too', async () => {
    const data = fromHex('010203');
    const command = await updateBinaryWithMac(keyBytes, KEY, {
      sfi: 0x15,
      offset: 0,
      data,
      challenge: CHALLENGE,
    });
    expect(toHex(command.data?.slice(3) ?? data)).toBe(cardMac(KEY, CHALLENGE, fromHex('04D6950007010203')));
  });

  it('refuses what one command cannot carry', async () => {
    const update = { sfi: 0x15, offset: 0, data: new Uint8Array(252), challenge: CHALLENGE };
    await expect(updateBinaryWithMac(keyBytes, KEY, update)).rejects.toThrow(FmcosFormatError);
    await expect(updateBinaryWithMac(keyBytes, KEY, { ...update, data: new Uint8Array(0) })).rejects.toThrow(
      FmcosFormatError,
    );
  });
});

const KEY = fromHex('39'.repeat(16));
const NEW_KEY = fromHex('00112233445566778899AABBCCDDEEFF');
const CHALLENGE = fromHex('9B361B26');
const MCK = { typeInside: 0xf9, useRight: 0xf0, changeRight: 0xaa, nextState: 0xaa, counter: 0x33 };
const MTK = { ...MCK, typeInside: 0xf6, nextState: 0xff };

/** One 3DES block under a 16-byte key. */
function triple(key: Uint8Array, block: Uint8Array): Uint8Array {
  const cipher = createCipheriv('des-ede3', concat(key, key.slice(0, 8)), null).setAutoPadding(false);
  return Uint8Array.from(cipher.update(block));
}

/** One DES block under the left half: triple DES with the same key three times. */
function single(key: Uint8Array, block: Uint8Array): Uint8Array {
  const left = key.slice(0, 8);
  return triple(concat(left, left), block);
}

/** ISO 9797-1 algorithm 3 in words: chain with DES, then undo and redo the last step under the other half. */
function cardMac(key: Uint8Array, challenge: Uint8Array, message: Uint8Array): string {
  const padded = concat(message, fromHex('80'), new Uint8Array((8 - ((message.length + 1) % 8)) % 8));
  let state = concat(challenge, new Uint8Array(4));
  const blocks = padded.length / 8;
  for (let i = 0; i < blocks; i += 1) {
    const input = xor(state, padded.slice(8 * i, 8 * i + 8));
    state = i === blocks - 1 ? triple(key, input) : single(key, input);
  }
  return toHex(state.slice(0, 4));
}

function decipher(key: Uint8Array, data: Uint8Array): string {
  const cipher = createDecipheriv('des-ede3', concat(key, key.slice(0, 8)), null).setAutoPadding(false);
  return toHex(Uint8Array.from(cipher.update(data)));
}
