/** The token itself, with the module loaded here: published vectors, what masters refuse, what operations leave behind. */
import { writeFileSync } from 'node:fs';
import pkcs11, { type Handle } from 'pkcs11js';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { factorFor } from '../../../app/dialects/keys.ts';
import type { MasterKeyId, MasterRule } from '../../../app/keyserver/vault/keys.ts';
import type { VaultCall } from '../../../app/keyserver/vault/messages.ts';
import { type Dispatch, dispatchOf } from '../../../app/keyserver/vault/process/dispatch.ts';
import {
  ensureSealKey,
  generateMaster,
  importMaster,
} from '../../../app/keyserver/vault/process/run/ceremony.ts';
import { objectKey } from '../../../app/keyserver/vault/process/run/diversification.ts';
import { retailMac } from '../../../app/keyserver/vault/process/run/retail-mac.ts';
import { scp02SessionKey, scp03SessionKey } from '../../../app/keyserver/vault/process/run/secure-channel.ts';
import { atWorkbench, type Workbench } from '../../../app/keyserver/vault/process/run/workbench.ts';
import { masterLabel, SEAL_LABEL } from '../../../app/keyserver/vault/process/token/labels.ts';
import { RawCryptoki } from '../../../app/keyserver/vault/process/token/raw-cryptoki.ts';
import type { TokenSession } from '../../../app/keyserver/vault/process/token/session.ts';
import { TokenKeeper } from '../../../app/keyserver/vault/process/token/token-keeper.ts';
import { operationsOf, VAULT_FAMILIES } from '../../../app/keyserver/vault/registry.ts';
import { aesCmac, hex, tdesCbc } from './reference.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

let token: SoftToken;
let keeper: TokenKeeper;

let dispatch: Dispatch<Workbench>;

beforeAll(openTokenWithMasters);

afterAll(close);

describe('published vectors', () => {
  test.each([
    [
      'DES, as 3DES with equal halves',
      twice(hex('0102030405060708')),
      'BB83BFF300000000',
      '74B0047DD681D96C',
    ],
    ['3DES', Buffer.alloc(16, 0x39), '9B361B26CB9FA8C8', '97F557D8EDE97F95'],
    ['load session key', twice(hex('3F013F013F013F01')), 'F9CABA9100008000', '03015BEA347EA231'],
  ])('%s', (_what, key, block, expected) => {
    expect(known(pkcs11.CKK_DES2, key, (session, handle) => session.des3Ecb(handle, hex(block)))).toEqual(
      hex(expected),
    );
  });

  test('ISO/IEC 9797-1 algorithm 3', () => {
    const key = hex('5775204D69616F6A756E404726444311');
    const message = Buffer.from(
      'CHENHAO-PC|BFEBFBFF000306C3~9BP0PD2CN7016366I0043|20240111|20250101|8191|0',
      'ascii',
    );
    const mac = known(pkcs11.CKK_DES2, key, (session, full) =>
      known(pkcs11.CKK_DES2, twice(key.subarray(0, 8)), (_other, left) =>
        retailMac(session, full, left, Buffer.alloc(8), message),
      ),
    );
    expect(Buffer.from(mac)).toEqual(hex('4089819D3D991CC7'));
  });

  test('SCP02: the ENC session key of a real card gives its cryptogram', () => {
    const enc = known(pkcs11.CKK_DES2, hex('404142434445464748494A4B4C4D4E4F'), (session, key) =>
      scp02SessionKey(objectKey(session, key, 'des3-16'), 0x0182, hex('0008')),
    );
    const input = hex('0102030405060708 0008 8B320EC60E9B 8000000000000000');
    expect(tdesCbc(enc, Buffer.alloc(8), input).subarray(-8)).toEqual(hex('F5A6DBF1B3FEB875'));
  });

  test('SCP03 session keys are SP 800-108 over AES-CMAC, whose RFC 4493 vectors the reference passes', () => {
    const key = hex('2B7E151628AED2A6ABF7158809CF4F3C');
    expect(aesCmac(key, Buffer.alloc(0))).toEqual(hex('BB1D6929E95937287FA37D129B756746'));
    expect(aesCmac(key, hex('6BC1BEE22E409F96E93D7E117393172A'))).toEqual(
      hex('070A16B46B4D4144F79BDD9DD04A287C'),
    );
    const context = hex('000102030405060708090A0B0C0D0E0F');
    const derived = known(pkcs11.CKK_AES, key, (session, handle) =>
      scp03SessionKey(objectKey(session, handle, 'aes-128'), 0x04, context),
    );
    const input = Buffer.concat([hex('0000000000000000000000 04 00 0080 01'), context]);
    expect(Buffer.from(derived)).toEqual(aesCmac(key, input));
  });
});

/** What the module says when asked. */
function refusal(work: (session: TokenSession) => unknown): string {
  try {
    inSession((session) => {
      try {
        work(session);
      } catch (error) {
        throw new Error(error instanceof Error ? error.message : 'no error');
      }
    });
    return 'allowed';
  } catch (error) {
    return error instanceof Error ? error.message : 'no error';
  }
}

function objects(session: TokenSession, label: string): Handle[] {
  return session.find([{ type: pkcs11.CKA_LABEL, value: label }]);
}

describe('masters and the sealing key', () => {
  const labels = [...[MCK, MTK, ENC, MAC, DEK].map(masterLabel), SEAL_LABEL];

  test.each(labels)('%s: its value cannot be read, nor wrapped, nor made extractable', (label) => {
    expect(
      refusal((session) => objects(session, label).map((key) => session.attribute(key, pkcs11.CKA_VALUE))),
    ).toBe('CKR_ATTRIBUTE_SENSITIVE');
    const wrap = refusal((session) => {
      const [key = Buffer.alloc(8)] = objects(session, label);
      const wrapping = session.p11.C_GenerateKey(session.handle, { mechanism: pkcs11.CKM_AES_KEY_GEN }, [
        { type: pkcs11.CKA_VALUE_LEN, value: 16 },
        { type: pkcs11.CKA_WRAP, value: true },
      ]);
      session.p11.C_WrapKey(
        session.handle,
        { mechanism: pkcs11.CKM_AES_KEY_WRAP },
        wrapping,
        key,
        Buffer.alloc(64),
      );
    });
    expect(wrap).toBe('CKR_KEY_UNEXTRACTABLE');
    const change = refusal((session) => {
      const [key = Buffer.alloc(8)] = objects(session, label);
      session.p11.C_SetAttributeValue(session.handle, key, [{ type: pkcs11.CKA_EXTRACTABLE, value: true }]);
    });
    expect(change).toMatch(/^CKR_/);
  });

  test.each([
    [MCK, pkcs11.CKM_DES3_ECB],
    [ENC, pkcs11.CKM_AES_ECB],
  ])('a master encrypts and decrypts nothing itself', (id, mechanism) => {
    for (const init of ['C_EncryptInit', 'C_DecryptInit'] as const)
      expect(
        refusal((session) => {
          const [key = Buffer.alloc(8)] = objects(session, masterLabel(id));
          session.p11[init](session.handle, { mechanism }, key);
        }),
      ).toBe('CKR_KEY_FUNCTION_NOT_PERMITTED');
  });

  test('a name is taken once', () => {
    expect(() => inSession((session) => generateMaster(session, MCK, 'des3-16', RULES.mck))).toThrow(
      /already/,
    );
  });
});

test('operations leave no session object behind, whether they succeed or fail', () => {
  const sessionObjects = (): number =>
    inSession((session) => session.find([{ type: pkcs11.CKA_TOKEN, value: false }]).length);
  const key = { master: MCK, factor: hex(factorFor('card', CARD)) };
  const kdf3 = { kind: 'kdf3', data: Buffer.alloc(10, 7) } as const;
  const calls: VaultCall[] = [
    { op: 'status' },
    { op: 'fmcosCryptogram', request: { card: CARD, key, challenge: hex('01020304') } },
    {
      op: 'fmcosMac',
      request: {
        card: CARD,
        key: { master: MTK, factor: FACTOR },
        challenge: hex('01020304'),
        message: hex('04D6950805AA'),
      },
    },
    {
      op: 'fmcosKeyWrite',
      request: {
        card: CARD,
        under: key,
        newKey: key,
        p1: 0x39,
        keyId: 0,
        header: { typeInside: 0xf9, useRight: 0xf0, changeRight: 0xaa, nextState: 0xaa, counter: 0x33 },
        challenge: hex('01020304'),
      },
    },
    {
      op: 'channelSessionKeys',
      request: {
        card: CARD,
        keys: {
          enc: { master: ENC, diversification: kdf3 },
          mac: { master: MAC, diversification: kdf3 },
          dek: { master: DEK, diversification: kdf3 },
        },
        context: { scp: '03', hostChallenge: FACTOR, cardChallenge: FACTOR },
      },
    },
    {
      op: 'wrapDomainKeys',
      request: {
        card: CARD,
        under: { scp: '03', dek: { master: DEK, diversification: kdf3 } },
        keys: {
          enc: { master: ENC, diversification: kdf3 },
          mac: { master: MAC, diversification: kdf3 },
          dek: { master: DEK, diversification: kdf3 },
        },
      },
    },
  ];
  const before = sessionObjects();
  for (let round = 0; round < 20; round += 1) for (const call of calls) carryOut(call);
  const missing: VaultCall = {
    op: 'fmcosKeyWrite',
    request: {
      card: CARD,
      under: { master: { ...MCK, version: 9 }, factor: FACTOR },
      newKey: key,
      p1: 0x39,
      keyId: 0,
      header: { typeInside: 0xf9, useRight: 0xf0, changeRight: 0xaa, nextState: 0xaa, counter: 0x33 },
      challenge: hex('01020304'),
    },
  };
  expect(() => carryOut(missing)).toThrow(/version 9/);
  expect(sessionObjects()).toBe(before);
});

test('a session in which a call failed is not used again', () => {
  const active = (): unknown =>
    keeper.run((open) =>
      open.sessions.use((session) => {
        const [key = Buffer.alloc(8)] = objects(session, SEAL_LABEL);
        const parameter = { type: pkcs11.CK_PARAMS_GCM, iv: Buffer.alloc(12), ivBits: 96, tagBits: 128 };
        session.p11.C_EncryptInit(session.handle, { mechanism: pkcs11.CKM_AES_GCM, parameter }, key);
        throw new Error('left with an active operation');
      }),
    );
  expect(active).toThrow('active operation');
  const sealed = carryOut({ op: 'seal', request: { clear: FACTOR, context: 'c' } });
  expect(sealed).toBeInstanceOf(Uint8Array);
});

test('few sessions are lent at once, and all come back', () => {
  const nested = (depth: number): number => (depth === 0 ? 0 : 1 + inSession(() => nested(depth - 1)));
  expect(nested(4)).toBe(4);
  for (let round = 0; round < 3; round += 1) expect(() => nested(5)).toThrow(/no session/);
  expect(nested(4)).toBe(4);
});

test('a refused PIN is tried once, until its file is written again', () => {
  const { module, tokenLabel } = token.config;
  const pinFile = `${token.pinFile}-wrong`;
  writeFileSync(pinFile, 'wrong-9173', { mode: 0o600 });
  // One process, one initialisation of the module.
  keeper.drop();
  const login = vi.spyOn(RawCryptoki.prototype, 'login');
  const other = new TokenKeeper({ module, tokenLabel, pin: { pinFile } }, 'read');
  try {
    for (let attempt = 0; attempt < 3; attempt += 1)
      expect(() => other.run(() => undefined)).toThrow(/does not accept the configured PIN/);
    expect(login).toHaveBeenCalledTimes(1);
    writeFileSync(pinFile, token.pin);
    expect(other.run((open) => open.label)).toBe(tokenLabel);
    expect(login).toHaveBeenCalledTimes(2);
    // What the module was given is wiped when the call is over.
    for (const [, , pin] of login.mock.calls) expect(pin.every((byte) => byte === 0)).toBe(true);
  } finally {
    other.drop();
    login.mockRestore();
  }
});

async function openTokenWithMasters(): Promise<void> {
  const runs = await Promise.all(VAULT_FAMILIES.map(({ load }) => load()));
  dispatch = dispatchOf(operationsOf(VAULT_FAMILIES), Object.assign({}, ...runs));
  token = await makeSoftToken();
  const { module, tokenLabel, pin, softhsmConf } = token.config;
  process.env['SOFTHSM2_CONF'] = softhsmConf;
  keeper = new TokenKeeper({ module, tokenLabel, pin }, 'write');
  inSession((session) => {
    generateMaster(session, MCK, 'des3-16', RULES.mck);
    importMaster(session, MTK, 'des3-16', hex('404142434445464748494A4B4C4D4E4F'), RULES.mtk);
    for (const id of [ENC, MAC, DEK]) generateMaster(session, id, 'aes-128', RULES.domain);
    ensureSealKey(session);
  });
}

function close(): void {
  keeper.drop();
  token.remove();
}

const MCK: MasterKeyId = { purpose: 'app/e-wallet/mck', origin: 'issuer', version: 1 };
const MTK: MasterKeyId = { purpose: 'app/e-wallet/mtk', origin: 'factory', version: 1 };
const ENC: MasterKeyId = { purpose: 'isd/demo-scp03/enc', origin: 'issuer', version: 2 };
const MAC: MasterKeyId = { purpose: 'isd/demo-scp03/mac', origin: 'issuer', version: 2 };
const DEK: MasterKeyId = { purpose: 'isd/demo-scp03/dek', origin: 'issuer', version: 2 };

const RULES = {
  mck: { diversifiedBy: 'card', records: ['3900F9F0AAAA33'] },
  mtk: { diversifiedBy: 'identification', records: [] },
  domain: { diversifiedBy: 'kdf3', records: [] },
} as const satisfies Record<string, MasterRule>;

const twice = (half: Buffer): Buffer => Buffer.concat([half, half]);

const FACTOR = hex('1122334455667788');

const CARD = { identification: '1122334455667788', account: '6222021234567890', data: Buffer.alloc(10, 7) };

const inSession = <T>(work: (session: TokenSession) => T): T => keeper.run((open) => open.sessions.use(work));

const carryOut = (call: VaultCall): unknown => keeper.run((open) => atWorkbench(open, dispatch(call)));

/** A known key as a session object. */
function known<T>(type: number, value: Buffer, work: (session: TokenSession, key: Handle) => T): T {
  return inSession((session) => {
    const key = session.p11.C_CreateObject(session.handle, [
      { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
      { type: pkcs11.CKA_KEY_TYPE, value: type },
      { type: pkcs11.CKA_TOKEN, value: false },
      { type: pkcs11.CKA_ENCRYPT, value: true },
      { type: pkcs11.CKA_SIGN, value: true },
      { type: pkcs11.CKA_VALUE, value },
    ]);
    try {
      return work(session, key);
    } finally {
      session.p11.C_DestroyObject(session.handle, key);
    }
  });
}
