import { createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { startVault } from '../../../app/keyserver/vault/client.ts';
import type {
  CardKeyRef,
  DomainKeyRef,
  DomainKeyRefs,
  MasterRule,
} from '../../../app/keyserver/vault/keys.ts';
import type { FmcosKeyWrite } from '../../../app/keyserver/vault/operations/fmcos.ts';
import type { Vault } from '../../../app/keyserver/vault/vault.ts';
import * as ref from './reference.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

let token: SoftToken;
let vault: Vault;

beforeAll(openVaultWithMasters);

afterAll(close);

describe('FMCOS', () => {
  test('EXTERNAL AUTHENTICATE: 3DES of the 4-byte challenge and four zeros', async () => {
    const expected = ref.tdesEcb(desKey('app/e-wallet/mck'), IV);
    expect(
      await vault.ask('fmcosCryptogram', { card: CARD, key: key('app/e-wallet/mck'), challenge: CHALLENGE }),
    ).toEqual(new Uint8Array(expected));
  });

  test.each([0, 1, 2, 3, 5, 8, 13])('MAC of an UPDATE BINARY with %i + 1 bytes of data', async (more) => {
    const data = randomBytes(more + 1);
    const message = Buffer.concat([hex('04D69508'), Buffer.of(data.length + 4), data]);
    const expected = ref.retailMac(desKey('app/e-wallet/mtk'), IV, message).subarray(0, 4);
    expect(
      await vault.ask('fmcosMac', {
        card: CARD,
        key: key('app/e-wallet/mtk'),
        challenge: CHALLENGE,
        message,
      }),
    ).toEqual(new Uint8Array(expected));
  });

  test.each([
    ['another command', '04B0950805AA'],
    ['a key write', '84D439001CAA'],
    ['no secure messaging', '00D6950805AA'],
    ['an Lc without the MAC', '04D6950801AA'],
    ['data cut short', '04D6950806AA'],
  ])('refuses a MAC over %s', async (_what, message) => {
    await expect(
      vault.ask('fmcosMac', {
        card: CARD,
        key: key('app/e-wallet/mtk'),
        challenge: CHALLENGE,
        message: hex(message),
      }),
    ).rejects.toMatchObject({
      fault: 'refused',
    });
  });

  test('refuses challenges that are not 4 bytes', async () => {
    for (const length of [0, 3, 5, 8])
      await expect(
        vault.ask('fmcosCryptogram', {
          card: CARD,
          key: key('app/e-wallet/mck'),
          challenge: randomBytes(length),
        }),
      ).rejects.toMatchObject({ fault: 'refused' });
  });

  const header = (typeInside: number, nextState: number): FmcosKeyWrite['header'] => ({
    typeInside,
    useRight: 0xf0,
    changeRight: 0xaa,
    nextState,
    counter: 0x33,
  });

  test.each([
    [0x39, 'app/e-wallet/mck', header(0xf9, 0xaa)],
    [0x36, 'app/e-wallet/mtk', header(0xf6, 0xff)],
  ] as const)('WRITE KEY %i: record, padding, cipher and MAC', async (p1, purpose, slot) => {
    const newKey = issuers(purpose);
    const under = key('app/e-wallet/mck');
    const field = await vault.ask('fmcosKeyWrite', {
      card: CARD,
      under,
      newKey,
      p1,
      keyId: 0,
      header: slot,
      challenge: CHALLENGE,
    });
    expect(field).toHaveLength(28);
    const underKey = desKey('app/e-wallet/mck');
    const head = Buffer.concat([
      hex('15'),
      Buffer.of(slot.typeInside),
      hex('F0AA'),
      Buffer.of(slot.nextState, 0x33),
    ]);
    const plain = Buffer.concat([head, ref.oddParity(desKey(purpose, OF_CARD)), hex('8000')]);
    const cipher = Buffer.from(field.subarray(0, 24));
    expect(ref.tdesDecrypt(createDecipheriv, underKey, cipher)).toEqual(plain);
    const message = Buffer.concat([hex('84D4'), Buffer.of(p1), hex('001C'), cipher]);
    expect(Buffer.from(field.subarray(24))).toEqual(ref.retailMac(underKey, IV, message).subarray(0, 4));
  });

  test('a card that was given such a key accepts the next cryptogram: DES ignores parity', async () => {
    const written = ref.oddParity(desKey('app/e-wallet/mck'));
    expect(
      await vault.ask('fmcosCryptogram', { card: CARD, key: key('app/e-wallet/mck'), challenge: CHALLENGE }),
    ).toEqual(new Uint8Array(ref.tdesEcb(written, IV)));
  });

  test.each([
    ['a type without C0', 0x39, 'app/e-wallet/mck', header(0x39, 0xaa)],
    ['the type of the other slot', 0x39, 'app/e-wallet/mck', header(0xf6, 0xaa)],
    ['a maintenance key as master control key', 0x39, 'app/e-wallet/mtk', header(0xf9, 0xaa)],
    ['a key of another app', 0x36, 'app/transit/mtk', header(0xf6, 0xff)],
    ['another slot', 0x3a, 'app/e-wallet/mtk', header(0xfa, 0xff)],
  ] as const)('refuses to write %s', async (_what, p1, purpose, slot) => {
    await expect(
      vault.ask('fmcosKeyWrite', {
        card: CARD,
        under: key('app/e-wallet/mck'),
        newKey: issuers(purpose),
        p1,
        keyId: 0,
        header: slot,
        challenge: CHALLENGE,
      }),
    ).rejects.toMatchObject({ fault: 'refused' });
  });

  test('each operation takes keys of its own role only', async () => {
    const refused = { fault: 'refused' };
    await expect(
      vault.ask('fmcosCryptogram', { card: CARD, key: key('app/e-wallet/mtk'), challenge: CHALLENGE }),
    ).rejects.toMatchObject(refused);
    await expect(
      vault.ask('fmcosCryptogram', { card: CARD, key: key('isd/demo-scp02/mac'), challenge: CHALLENGE }),
    ).rejects.toMatchObject(refused);
    await expect(
      vault.ask('fmcosMac', {
        card: CARD,
        key: key('app/e-wallet/mck'),
        challenge: CHALLENGE,
        message: hex('04D6950805AA'),
      }),
    ).rejects.toMatchObject(refused);
  });
});

describe('secure channels', () => {
  const domainKey = (purpose: Purpose): DomainKeyRef => ({
    master: { purpose, origin: 'factory', version: 1 },
    diversification: { kind: 'pboc', factor: FACTOR },
  });
  const refs = (type: 'demo-scp02' | 'demo-scp03'): DomainKeyRefs => ({
    enc: domainKey(`isd/${type}/enc`),
    mac: domainKey(`isd/${type}/mac`),
    dek: domainKey(`isd/${type}/dek`),
  });

  test('SCP02 session keys', async () => {
    const keys = await vault.channelSessionKeys({
      card: CARD,
      keys: refs('demo-scp02'),
      context: {
        scp: '02',
        sequenceCounter: hex('0123'),
      },
    });
    const derive = (purpose: Purpose, constant: string): Uint8Array =>
      new Uint8Array(ref.tdesCbc(desKey(purpose), Buffer.alloc(8), hex(`${constant}0123${'00'.repeat(12)}`)));
    expect(keys).toEqual({
      mac: derive('isd/demo-scp02/mac', '0101'),
      rmac: derive('isd/demo-scp02/mac', '0102'),
      enc: derive('isd/demo-scp02/enc', '0182'),
    });
  });

  test.each([8, 16])('SCP03 session keys with challenges of %i bytes', async (length) => {
    const hostChallenge = randomBytes(length);
    const cardChallenge = randomBytes(length);
    const keys = await vault.channelSessionKeys({
      card: CARD,
      keys: refs('demo-scp03'),
      context: {
        scp: '03',
        hostChallenge,
        cardChallenge,
      },
    });
    const derive = (purpose: Purpose, constant: string): Uint8Array => {
      const input = Buffer.concat([
        hex(`${'00'.repeat(11)}${constant}00008001`),
        hostChallenge,
        cardChallenge,
      ]);
      return new Uint8Array(ref.aesCmac(aesKey(purpose), input));
    };
    expect(keys).toEqual({
      enc: derive('isd/demo-scp03/enc', '04'),
      mac: derive('isd/demo-scp03/mac', '06'),
      rmac: derive('isd/demo-scp03/mac', '07'),
    });
  });

  test.each([8, 16])(
    'an SCP03 channel that is still to be opened, with challenges of %i bytes',
    async (length) => {
      const hostChallenge = randomBytes(length);
      const opening = { hostChallenge, sequenceCounter: hex('00002A'), invoker: hex('A000000151000000') };
      const { cardChallenge, ...keys } = await vault.foretellChannel({
        card: CARD,
        keys: refs('demo-scp03'),
        ...opening,
      });
      // Amendment D §4.1.5, §6.2.2.1: constant 02, the length in bits, the counter and the domain's AID.
      const input = Buffer.concat([
        hex(`${'00'.repeat(11)}0200${length === 8 ? '0040' : '0080'}01`),
        hex('00002AA000000151000000'),
      ]);
      const whole = new Uint8Array(ref.aesCmac(aesKey('isd/demo-scp03/enc'), input));
      expect(cardChallenge).toEqual(whole.slice(0, length));
      expect(keys).toEqual(
        await vault.channelSessionKeys({
          card: CARD,
          keys: refs('demo-scp03'),
          context: { scp: '03', hostChallenge, cardChallenge },
        }),
      );
      await expect(
        vault.foretellChannel({ card: CARD, keys: refs('demo-scp02'), ...opening }),
      ).rejects.toMatchObject({
        fault: 'refused',
      });
    },
  );

  test('keys of the wrong algorithm, and of two security domains, are refused', async () => {
    const context = { scp: '02', sequenceCounter: hex('0001') } as const;
    await expect(
      vault.channelSessionKeys({ card: CARD, keys: refs('demo-scp03'), context }),
    ).rejects.toMatchObject({
      fault: 'refused',
      message: expect.stringContaining('aes-128'),
    });
    const mixed = { ...refs('demo-scp02'), dek: domainKey('isd/demo-scp03/dek') };
    await expect(vault.channelSessionKeys({ card: CARD, keys: mixed, context })).rejects.toMatchObject({
      fault: 'refused',
    });
  });
});

describe('sealing', () => {
  test.each([0, 1, 15, 16, 5_000])('%i bytes come back, in their own context only', async (length) => {
    const clear = new Uint8Array(randomBytes(length));
    const sealed = await vault.seal({ clear, context: 'job/7/reply/3' });
    expect(length > 8 && Buffer.from(sealed).includes(Buffer.from(clear))).toBe(false);
    expect(await vault.unseal({ sealed, context: 'job/7/reply/3' })).toEqual(clear);
    await expect(vault.unseal({ sealed, context: 'job/7/reply/4' })).rejects.toMatchObject({
      fault: 'refused',
    });
  });

  test('the same bytes are never sealed alike, and every changed bit is found', async () => {
    const clear = randomBytes(20);
    const sealed = await vault.seal({ clear, context: 'x' });
    expect(await vault.seal({ clear, context: 'x' })).not.toEqual(sealed);
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = new Uint8Array(sealed);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      await expect(vault.unseal({ sealed: changed, context: 'x' })).rejects.toMatchObject({
        fault: 'refused',
      });
    }
    await expect(vault.unseal({ sealed: sealed.subarray(0, -1), context: 'x' })).rejects.toMatchObject({
      fault: 'refused',
    });
    expect(await vault.unseal({ sealed, context: 'x' })).toEqual(new Uint8Array(clear));
  });
});

test('status names the token and its masters with check values', async () => {
  const status = await vault.status();
  expect(status).toMatchObject({
    token: 'kaika test',
    manufacturer: 'SoftHSM project',
    softwareToken: true,
    newKeys: 'wiped-buffer',
    // What SoftHSM 2.6.1 really does, whatever its list of mechanisms says.
    newDomainKeys: {
      'des3-16': 'wiped-buffer',
      'aes-128': 'inside-token',
      'aes-192': 'wiped-buffer',
      'aes-256': 'inside-token',
    },
  });
  expect(status.masters).toHaveLength(2 * Object.keys(MASTERS).length);
  for (const [purpose, { algorithm, value }] of Object.entries(MASTERS)) {
    const check =
      algorithm === 'des3-16' ? ref.tdesEcb(value, Buffer.alloc(8)) : ref.aesEcb(value, Buffer.alloc(16, 1));
    const checkValue = new Uint8Array(check.subarray(0, 3));
    for (const origin of ['factory', 'issuer'] as const)
      expect(status.masters).toContainEqual({
        purpose,
        origin,
        version: 1,
        algorithm,
        checkValue,
        rule: RULES[origin],
      });
  }
});

test('a missing key is named by purpose, origin and version', async () => {
  const missing = { purpose: 'app/e-wallet/mck', origin: 'issuer', version: 4 } as const;
  await expect(
    vault.ask('fmcosCryptogram', {
      card: CARD,
      key: { master: missing, factor: OF_CARD },
      challenge: CHALLENGE,
    }),
  ).rejects.toMatchObject({
    name: 'VaultError',
    fault: 'key-missing',
    message: 'app/e-wallet/mck (issuer, version 4) is not in the token',
  });
});

test('a key made after the vault started is found', async () => {
  const id = { purpose: 'app/identity/mck', origin: 'issuer', version: 1 } as const;
  await expect(
    vault.ask('fmcosCryptogram', { card: CARD, key: { master: id, factor: OF_CARD }, challenge: CHALLENGE }),
  ).rejects.toMatchObject({
    fault: 'key-missing',
  });
  const admin = await openVaultAdmin(token.config);
  await admin.generateMaster({ id, algorithm: 'des3-16', rule: RULES.issuer });
  await admin.close();
  expect(
    await vault.ask('fmcosCryptogram', {
      card: CARD,
      key: { master: id, factor: OF_CARD },
      challenge: CHALLENGE,
    }),
  ).toHaveLength(8);
});

async function openVaultWithMasters(): Promise<void> {
  token = await makeSoftToken();
  const admin = await openVaultAdmin(token.config);
  for (const [purpose, { algorithm, value }] of Object.entries(MASTERS))
    for (const origin of ['factory', 'issuer'] as const)
      await admin.importMaster({
        id: { purpose, origin, version: 1 },
        algorithm,
        value: Buffer.from(value),
        rule: RULES[origin],
      });
  await admin.ensureSealKey();
  await admin.close();
  vault = await startVault(token.config);
}

async function close(): Promise<void> {
  await vault.close();
  token.remove();
}

const { hex } = ref;

const FACTOR = hex('1122334455667788');

const CARD = { identification: '1122334455667788', account: '6222021234567890' };

/** D of the issuer's keys on that card: the beginning of SHA-256 over both codes. */
const OF_CARD = createHash('sha256')
  .update('kaika card key 1:1122334455667788:6222021234567890')
  .digest()
  .subarray(0, 8);

const RULES: Readonly<Record<'factory' | 'issuer', MasterRule>> = {
  factory: { diversifiedBy: 'identification', records: [] },
  issuer: { diversifiedBy: 'card', records: ['3900F9F0AAAA33', '3600F6F0AAFF33'] },
};

const CHALLENGE = hex('9B361B26');

const IV = Buffer.concat([CHALLENGE, Buffer.alloc(4)]);

const MASTERS = {
  'app/e-wallet/mck': { algorithm: 'des3-16', value: hex('0123456789ABCDEFFEDCBA9876543210') },
  'app/e-wallet/mtk': { algorithm: 'des3-16', value: hex('404142434445464748494A4B4C4D4E4F') },
  'app/transit/mtk': { algorithm: 'des3-16', value: hex('505152535455565758595A5B5C5D5E5F') },
  'isd/demo-scp02/enc': { algorithm: 'des3-16', value: hex('101112131415161718191A1B1C1D1E1F') },
  'isd/demo-scp02/mac': { algorithm: 'des3-16', value: hex('202122232425262728292A2B2C2D2E2F') },
  'isd/demo-scp02/dek': { algorithm: 'des3-16', value: hex('303132333435363738393A3B3C3D3E3F') },
  'isd/demo-scp03/enc': { algorithm: 'aes-128', value: hex('000102030405060708090A0B0C0D0E0F') },
  'isd/demo-scp03/mac': { algorithm: 'aes-128', value: hex('606162636465666768696A6B6C6D6E6F') },
  'isd/demo-scp03/dek': { algorithm: 'aes-128', value: hex('707172737475767778797A7B7C7D7E7F') },
} as const;

type Purpose = keyof typeof MASTERS;

const key = (purpose: Purpose, factor: Uint8Array = FACTOR): CardKeyRef => ({
  master: { purpose, origin: 'factory', version: 1 },
  factor,
});

const issuers = (purpose: Purpose): CardKeyRef => ({
  master: { purpose, origin: 'issuer', version: 1 },
  factor: OF_CARD,
});

const desKey = (purpose: Purpose, factor: Uint8Array = FACTOR): Buffer =>
  ref.desCardKey(MASTERS[purpose].value, factor);

const aesKey = (purpose: Purpose): Buffer => ref.aesCardKey(MASTERS[purpose].value, FACTOR);
