/**
 * Keys of security domains: how they are diversified, and how new ones are enciphered for PUT KEY. Vectors: check values and the
 * key that GlobalPlatformPro publishes for its "visa2", "emv" and "kdf3"; recomputed with node:crypto.
 */
import { createDecipheriv, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scp03Kdf } from '../../../app/globalplatform/aes.ts';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { startVault } from '../../../app/keyserver/vault/client.ts';
import type {
  Diversification,
  DomainKeyRef,
  DomainKeyRefs,
  KeyAlgorithm,
  MasterKeyId,
  MasterRule,
} from '../../../app/keyserver/vault/keys.ts';
import type { Vault } from '../../../app/keyserver/vault/vault.ts';
import { keyCheckValue } from '../../support/globalplatform/key-wrapping.ts';
import * as ref from './reference.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

let token: SoftToken;
let vault: Vault;

beforeAll(openVaultWithMasters);

afterAll(close);

describe('published diversifications', () => {
  test.each([
    ['emv-cps', 'des', ['C33013', '6F4CA6', 'BB8179']],
    ['visa2', 'des', ['2BE598', '58DA38', '3C328E']],
    ['kdf3', 'aes128', ['E79C05', 'D1BD77', '3FDE8C']],
    ['kdf3', 'aes192', ['1DE8EA', '47C00C', 'C04D76']],
    ['kdf3', 'aes256', ['2972D2', '036F94', '5D57B8']],
  ] as const)('%s of %s keys', async (kind, type, checkValues) => {
    const keys = await wrapped(type, by(kind));
    expect(keys.map((one) => upper(one.checkValue))).toEqual(checkValues);
  });

  test('kdf3 gives the published key, all 32 bytes of it', async () => {
    const [enc] = await wrapped('published', by('kdf3', hex('D9B1DE5D0362DEDCE4FB')));
    const decipher = createDecipheriv('aes-256-cbc', hex(PUBLISHED_MASTER), Buffer.alloc(16)).setAutoPadding(
      false,
    );
    expect(upper(decipher.update(enc?.cipher ?? KDD))).toBe(
      '9AAC5D0B3601F89438A0D9D0B6B256CFB47E6462DFA5228D3420C4AC7C224781',
    );
  });

  test('pboc is the two halves of D and its complement', async () => {
    const keys = await wrapped('des', PBOC);
    const expected = ref.desCardKey(hex(TYPES.des[1]), hex('1122334455667788'));
    const checkValue = upper(ref.tdesEcb(expected, Buffer.alloc(8)).subarray(0, 3));
    expect(keys.map((one) => upper(one.checkValue))).toEqual([checkValue, checkValue, checkValue]);
  });

  test.each([
    ['visa2', 'aes128'],
    ['emv-cps', 'aes256'],
    ['kdf3', 'des'],
  ] as const)('%s of %s keys is refused', async (kind, type) => {
    await expect(wrapped(type, by(kind))).rejects.toMatchObject({ fault: 'refused' });
  });

  test('pboc of AES keys of other lengths than 16 is refused', async () => {
    await expect(wrapped('aes256', PBOC)).rejects.toMatchObject({ fault: 'refused' });
  });
});

describe('a key that is its master', () => {
  test('opens the channel of a real card with default keys (SCP02)', async () => {
    const keys = await vault.channelSessionKeys({
      card: CARD,
      keys: refs('des', NONE),
      context: {
        scp: '02',
        sequenceCounter: hex('0008'),
      },
    });
    const input = hex('0102030405060708 0008 8B320EC60E9B 8000000000000000');
    expect(upper(ref.tdesCbc(keys.enc, Buffer.alloc(8), input).subarray(-8))).toBe('F5A6DBF1B3FEB875');
  });

  test.each([8, 16])('gives SCP03 session keys for challenges of %i bytes', async (length) => {
    const [hostChallenge, cardChallenge] = [randomBytes(length), randomBytes(length)];
    const keys = await vault.channelSessionKeys({
      card: CARD,
      keys: refs('aes128', NONE),
      context: {
        scp: '03',
        hostChallenge,
        cardChallenge,
      },
    });
    const derive = (constant: string) => {
      const label = hex(`${'00'.repeat(11)}${constant}00008001`);
      return upper(ref.aesCmac(hex(TYPES.aes128[1]), Buffer.concat([label, hostChallenge, cardChallenge])));
    };
    expect([keys.enc, keys.mac, keys.rmac].map(upper)).toEqual([derive('04'), derive('06'), derive('07')]);
  });

  test('is never written to a card', async () => {
    await expect(wrapped('aes128', NONE)).rejects.toMatchObject({ fault: 'refused' });
  });
});

describe('AES keys of other lengths', () => {
  test.each([
    ['aes192', 24, '04'],
    ['aes256', 32, '06'],
  ] as const)('%s session keys have %i bytes', async (type, length, constant) => {
    const [hostChallenge, cardChallenge] = [randomBytes(8), randomBytes(8)];
    const keys = await vault.channelSessionKeys({
      card: CARD,
      keys: refs(type, NONE),
      context: {
        scp: '03',
        hostChallenge,
        cardChallenge,
      },
    });
    expect([keys.enc, keys.mac, keys.rmac].map((one) => one.length)).toEqual([length, length, length]);
    const expected = scp03Kdf(
      hex(TYPES[type][1]),
      Number.parseInt(constant, 16),
      Buffer.concat([hostChallenge, cardChallenge]),
      length,
    );
    expect(upper(constant === '04' ? keys.enc : keys.mac)).toBe(upper(expected));
  });
});

describe('new keys', () => {
  test('under the session DEK of a published example (SCP02)', async () => {
    // A card key under the master as DEK: what comes out is deciphered under the session DEK of counter 0000.
    const [enc] = await wrapped('des', by('visa2'));
    const master = hex(TYPES.des[1]);
    const dek = ref.tdesCbc(master, Buffer.alloc(8), hex(`01810000${'00'.repeat(12)}`));
    const clear = ref.tdesDecrypt(createDecipheriv, dek, enc?.cipher ?? KDD);
    const half = (byte: number) => Buffer.concat([hex('000104050607'), Buffer.of(byte, 0x01)]);
    const expected = ref.tdesEcb(master, Buffer.concat([half(0xf0), half(0x0f)]));
    // The token adjusts the parity of DES keys, which is no part of them.
    expect(upper(clear)).toBe(upper(ref.oddParity(expected)));
  });

  test.each([
    ['aes128', 16],
    ['aes192', 32],
    ['aes256', 32],
  ] as const)(
    'issuer keys of %s travel in %i bytes, and their check values are of what travels',
    async (type, bytes) => {
      const keys = await vault.wrapDomainKeys({
        card: CARD,
        under: { scp: '03', dek: key(type, 'dek', NONE) },
        keys: refs(type, by('kdf3'), MADE),
      });
      const length = TYPES[type][1].length / 2;
      for (const one of keys) {
        expect([one.kind, one.length, one.cipher.length]).toEqual(['aes', length, bytes]);
        const name = `aes-${8 * length}-cbc`;
        const decipher = createDecipheriv(name, hex(TYPES[type][1]), Buffer.alloc(16)).setAutoPadding(false);
        const clear = decipher.update(one.cipher).subarray(0, length);
        expect(upper(keyCheckValue('aes', clear))).toBe(upper(one.checkValue));
      }
      expect(new Set(keys.map((one) => upper(one.checkValue))).size).toBe(3);
    },
  );

  test('of another type, in another order, of another protocol are refused', async () => {
    const refused = { fault: 'refused' };
    const under = { scp: '03', dek: key('aes128', 'dek', by('kdf3'), 'factory') } as const;
    const good = refs('aes128', by('kdf3'));
    await expect(vault.wrapDomainKeys({ card: CARD, under, keys: good })).resolves.toHaveLength(3);
    const wrong = [
      { under, keys: refs('aes256', by('kdf3')) },
      { under, keys: { ...good, enc: good.mac, mac: good.enc } },
      { under: { scp: '03', dek: key('aes128', 'mac', by('kdf3'), 'factory') } as const, keys: good },
      {
        under: { scp: '03', dek: key('des', 'dek', by('visa2'), 'factory') } as const,
        keys: refs('des', by('visa2')),
      },
      {
        under: {
          scp: '02',
          dek: key('aes128', 'dek', by('kdf3'), 'factory'),
          sequenceCounter: hex('0001'),
        } as const,
        keys: good,
      },
      { under, keys: { ...good, dek: { ...good.dek, diversification: NONE } } },
    ];
    for (const request of wrong)
      await expect(vault.wrapDomainKeys({ card: CARD, ...request })).rejects.toMatchObject(refused);
  });

  test('diversification data of another length are refused', async () => {
    for (const length of [0, 9, 11])
      await expect(wrapped('aes128', by('kdf3', Buffer.alloc(length)))).rejects.toMatchObject({
        fault: 'refused',
      });
  });
});

test('a master is imported with its own length only', async () => {
  const admin = await openVaultAdmin(token.config);
  try {
    const id = { purpose: 'isd/other/enc', origin: 'factory', version: 1 } as const;
    const rule: MasterRule = { diversifiedBy: 'none', records: [] };
    await expect(
      admin.importMaster({ id, algorithm: 'aes-256', value: randomBytes(16), rule }),
    ).rejects.toMatchObject({
      fault: 'refused',
    });
    await expect(
      admin.importMaster({ id, algorithm: 'des3-16', value: randomBytes(24), rule }),
    ).rejects.toMatchObject({
      fault: 'refused',
    });
    expect(
      await admin.importMaster({ id, algorithm: 'aes-192', value: hex(LONG.slice(0, 48)), rule }),
    ).toMatchObject({
      algorithm: 'aes-192',
    });
  } finally {
    await admin.close();
  }
});

async function openVaultWithMasters(): Promise<void> {
  token = await makeSoftToken();
  const admin = await openVaultAdmin(token.config);
  for (const [type, [algorithm, value]] of Object.entries(TYPES)) {
    for (const role of ROLES) {
      const purpose = `isd/${type}/${role}`;
      // A master is diversified in one way for good: so each way has a version of its own here.
      for (const [at, kind] of KINDS.entries()) {
        if (!ASKED[type]?.includes(kind)) continue;
        const rule: MasterRule = { diversifiedBy: kind === 'pboc' ? 'identification' : kind, records: [] };
        for (const origin of kind === 'none' ? (['factory'] as const) : (['factory', 'issuer'] as const))
          await admin.importMaster({
            id: { purpose, origin, version: at + 1 },
            algorithm,
            value: hex(value),
            rule,
          });
      }
      await admin.generateMaster({
        id: { purpose, origin: 'issuer', version: MADE },
        algorithm,
        rule: { diversifiedBy: kindOf(algorithm), records: [] },
      });
    }
  }
  await admin.close();
  vault = await startVault(token.config);
}

async function close(): Promise<void> {
  await vault.close();
  token.remove();
}

const { hex } = ref;

const LONG = '404142434445464748494A4B4C4D4E4F505152535455565758595A5B5C5D5E5F';

const KDD = hex('00010203040506070809');

const PUBLISHED_MASTER = '8C72C72CF908411653018807950D82FBAD947562F0828A0B10B8B9606ABF3BCD';

/** Purpose below isd/, algorithm, value: the same for ENC, MAC and DEK, as the published examples have it. */
const TYPES = {
  des: ['des3-16', LONG.slice(0, 32)],
  aes128: ['aes-128', LONG.slice(0, 32)],
  aes192: ['aes-192', LONG.slice(0, 48)],
  aes256: ['aes-256', LONG],
  published: ['aes-256', PUBLISHED_MASTER],
} as const satisfies Record<string, readonly [KeyAlgorithm, string]>;

type Type = keyof typeof TYPES;

const ROLES = ['enc', 'mac', 'dek'] as const;

type Role = (typeof ROLES)[number];

const PBOC: Diversification = { kind: 'pboc', factor: hex('1122334455667788') };

const NONE: Diversification = { kind: 'none' };

const by = (kind: 'visa2' | 'emv-cps' | 'kdf3', data: Uint8Array = KDD): Diversification => ({ kind, data });

const key = (
  type: Type,
  role: Role,
  diversification: Diversification,
  which: MasterKeyId['origin'] | typeof MADE = 'factory',
): DomainKeyRef => ({
  master: {
    purpose: `isd/${type}/${role}`,
    origin: which === MADE ? 'issuer' : which,
    version: which === MADE ? MADE : KINDS.indexOf(diversification.kind) + 1,
  },
  diversification,
});

const refs = (
  type: Type,
  diversification: Diversification,
  which: MasterKeyId['origin'] | typeof MADE = diversification.kind === 'none' ? 'factory' : 'issuer',
): DomainKeyRefs => ({
  enc: key(type, 'enc', diversification, which),
  mac: key(type, 'mac', diversification, which),
  dek: key(type, 'dek', diversification, which),
});

/** The ways in the order of the versions that stand for them here; MADE is made in the token. */
const KINDS = ['none', 'pboc', 'visa2', 'emv-cps', 'kdf3'] as const;
const MADE = 9;

/** Those that a test asks for. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  des: KINDS,
  aes128: ['none', 'pboc', 'visa2', 'kdf3'],
  aes192: ['none', 'kdf3'],
  aes256: ['none', 'pboc', 'emv-cps', 'kdf3'],
  published: ['none', 'kdf3'],
};

const kindOf = (algorithm: KeyAlgorithm) => (algorithm === 'des3-16' ? 'visa2' : 'kdf3');

const CARD = { identification: '1122334455667788', account: '6222021234567890', data: KDD };

const upper = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();

/** The card's key as PUT KEY carries it, under a DEK that is known because it is not diversified. */
async function wrapped(type: Type, diversification: Diversification) {
  const scp = TYPES[type][0] === 'des3-16' ? '02' : '03';
  const dek = key(type, 'dek', NONE);
  const under =
    scp === '02' ? ({ scp, dek, sequenceCounter: hex('0000') } as const) : ({ scp, dek } as const);
  const data = 'data' in diversification ? diversification.data : KDD;
  return vault.wrapDomainKeys({ card: { ...CARD, data }, under, keys: refs(type, diversification) });
}
