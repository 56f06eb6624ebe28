import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { initToken, openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import type { MasterKeyId, MasterRule } from '../../../app/keyserver/vault/keys.ts';
import * as ref from './reference.ts';
import { makeSoftToken, type SoftToken } from './soft-token.ts';

let token: SoftToken;
let admin: VaultAdmin;

beforeAll(async () => {
  token = await makeSoftToken('ceremony');
  admin = await openVaultAdmin(token.config);
});

afterAll(async () => {
  await admin.close();
  token.remove();
});

test('a token folder is for its owner only, and its configuration names it, spaces and all', () => {
  expect(statSync(join(token.folder, 'hsm')).mode & 0o777).toBe(0o700);
  expect(statSync(token.tokenDir).mode & 0o777).toBe(0o700);
  expect(token.tokenDir).toContain(' ');
  const conf = readFileSync(token.config.softhsmConf, 'utf8');
  expect(conf).toContain(`directories.tokendir = ${token.tokenDir}\n`);
  expect(conf).toContain('objectstore.backend = file\n');
  expect(existsSync(token.tokenDir)).toBe(true);
});

test('a second token of the same name in the same folder is refused', async () => {
  const again = {
    module: token.config.module,
    tokenFolder: join(token.folder, 'hsm'),
    label: 'ceremony',
    pin: '123456',
    soPin: '654321',
  };
  await expect(initToken(again)).rejects.toMatchObject({ fault: 'refused' });
});

test('an imported master has the check value of its bytes, and the buffer is wiped', async () => {
  const des = ref.hex('0123456789ABCDEFFEDCBA9876543210');
  const aes = ref.hex('404142434445464748494A4B4C4D4E4F');
  const desInfo = await admin.importMaster({
    id: id('app/e-wallet/mck'),
    algorithm: 'des3-16',
    value: des,
    rule: CARD,
  });
  const aesInfo = await admin.importMaster({
    id: id('isd/demo-scp03/enc'),
    algorithm: 'aes-128',
    value: aes,
    rule: KDF3,
  });
  // The check values that GlobalPlatform and the manufacturers print for these two well-known keys.
  expect(desInfo).toEqual({
    ...id('app/e-wallet/mck'),
    algorithm: 'des3-16',
    checkValue: new Uint8Array(ref.hex('08D7B4')),
    rule: CARD,
  });
  expect(aesInfo.checkValue).toEqual(new Uint8Array(ref.hex('504A77')));
  expect([...des, ...aes].every((byte) => byte === 0)).toBe(true);
});

test('keys made in the token differ, and come back by name', async () => {
  const first = await admin.generateMaster({
    id: id('app/identity/mtk', 1),
    algorithm: 'des3-16',
    rule: CARD,
  });
  const second = await admin.generateMaster({
    id: id('app/identity/mtk', 2),
    algorithm: 'des3-16',
    rule: CARD,
  });
  const third = await admin.generateMaster({
    id: id('isd/demo-scp03/mac'),
    algorithm: 'aes-128',
    rule: KDF3,
  });
  expect(first.checkValue).not.toEqual(second.checkValue);
  const listed = await admin.listMasters();
  for (const info of [first, second, third]) expect(listed).toContainEqual(info);
});

test('a key is never replaced under its name, and the buffer offered is wiped all the same', async () => {
  await admin.generateMaster({ id: id('app/transit/mck'), algorithm: 'des3-16', rule: CARD });
  const value = Buffer.alloc(16, 7);
  await expect(
    admin.importMaster({ id: id('app/transit/mck'), algorithm: 'des3-16', value, rule: CARD }),
  ).rejects.toMatchObject({
    fault: 'refused',
    message: 'app/transit/mck (issuer, version 1) is in the token already',
  });
  expect(value.every((byte) => byte === 0)).toBe(true);
});

test('names and values of the wrong shape are refused', async () => {
  const refused = { fault: 'refused' };
  await expect(
    admin.generateMaster({ id: id('App/e-wallet:mck'), algorithm: 'des3-16', rule: CARD }),
  ).rejects.toMatchObject(refused);
  await expect(
    admin.generateMaster({ id: id('app/e-wallet/mck', 0), algorithm: 'des3-16', rule: CARD }),
  ).rejects.toMatchObject(refused);
  await expect(
    admin.importMaster({ id: id('app/x/mck'), algorithm: 'des3-16', value: Buffer.alloc(8), rule: CARD }),
  ).rejects.toMatchObject(refused);
});

test('the sealing key is made once', async () => {
  await admin.ensureSealKey();
  await admin.ensureSealKey();
  expect((await admin.listMasters()).some(({ purpose }) => purpose.includes('seal'))).toBe(false);
});

const CARD: MasterRule = { diversifiedBy: 'card', records: ['3900F9F0AAAA33'] };
const KDF3: MasterRule = { diversifiedBy: 'kdf3', records: [] };

const id = (purpose: string, version = 1): MasterKeyId => ({ purpose, origin: 'issuer', version });
