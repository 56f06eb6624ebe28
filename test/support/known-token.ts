/** A token whose every master key the test knows: the delivery's transport keys, and issuer keys imported instead of made inside. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { DEMO_TYPES } from '../../app/demo/delivery.ts';
import { ruleFor } from '../../app/keyserver/keys/rules.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import { initToken, openVaultAdmin } from '../../app/keyserver/vault/admin.ts';
import type { KeyAlgorithm, MasterKeyId } from '../../app/keyserver/vault/keys.ts';
import { APP_IDS } from '../../app/simulator/factory.ts';
import type { MakeToken } from './issuer-rig.ts';

/** A master key, and what it is for. `value` has 16 bytes. */
export interface KnownMaster {
  readonly purpose: string;
  readonly origin: MasterKeyId['origin'];
  readonly algorithm: KeyAlgorithm;
  readonly value: Uint8Array;
}

/** Gives the `makeToken` for an issuer rig, and the list that it fills. */
export function knownToken(): {
  readonly makeToken: MakeToken;
  readonly masters: KnownMaster[];
  readonly pins: string[];
} {
  const masters: KnownMaster[] = [];
  const pins: string[] = [];
  const makeToken: MakeToken = async (token, delivery) => {
    const pin = randomBytes(8).toString('hex');
    pins.push(pin);
    writeFileSync(token.pinFile, pin, { mode: 0o600 });
    const { module, tokenFolder, tokenLabel: label } = token;
    const { softhsmConf } = await initToken({
      module,
      tokenFolder,
      label,
      pin,
      soPin: randomBytes(8).toString('hex'),
    });
    const config = { module, tokenLabel: label, pin: { pinFile: token.pinFile }, softhsmConf };
    const add = (
      purpose: string,
      origin: MasterKeyId['origin'],
      algorithm: KeyAlgorithm,
      value: Uint8Array,
    ) => masters.push({ purpose, origin, algorithm, value });
    for (const app of APP_IDS) {
      for (const slot of ['mck', 'mtk'] as const) {
        add(
          `app/${app}/${slot}`,
          'factory',
          'des3-16',
          Buffer.from(delivery['demo-scp03'].apps[app][slot], 'hex'),
        );
        add(`app/${app}/${slot}`, 'issuer', 'des3-16', randomBytes(16));
      }
    }
    for (const type of ['demo-scp03', 'demo-scp02'] as const) {
      for (const key of ['enc', 'mac', 'dek'] as const) {
        add(`isd/${type}/${key}`, 'factory', DEMO_TYPES[type], Buffer.from(delivery[type].isd[key], 'hex'));
      }
    }
    const catalogue = openCatalogue(OWN_RESOURCES);
    const admin = await openVaultAdmin(config);
    try {
      await admin.ensureSealKey();
      for (const { purpose, origin, algorithm, value } of masters) {
        const id: MasterKeyId = { purpose, origin, version: 1 };
        const rule = ruleFor(catalogue, id, 'new');
        await admin.importMaster({ id, algorithm, value: Uint8Array.from(value), rule });
      }
    } finally {
      await admin.close();
    }
    return config;
  };
  return { makeToken, masters, pins };
}

/** ECB of one or more blocks, by node:crypto and nothing of ours. */
export function ecb(algorithm: KeyAlgorithm, key: Uint8Array, data: Uint8Array): Buffer {
  const [name, bytes] =
    algorithm === 'aes-128'
      ? (['aes-128-ecb', key] as const)
      : (['des-ede3', Buffer.concat([key, key.subarray(0, 8)])] as const);
  const cipher = createCipheriv(name, bytes, null).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

/** Every byte with odd parity, as DES keys reach cards. */
export function oddParity(key: Uint8Array): Buffer {
  return Buffer.from(
    key.map((byte) => {
      let ones = 0;
      for (let rest = byte >> 1; rest > 0; rest >>= 1) ones += rest & 1;
      return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
    }),
  );
}

/** A card's key under a master of the issuer's: D is the beginning of SHA-256 over both codes. */
export function issuersCardKey(
  master: KnownMaster,
  { identification, account }: { readonly identification: string; readonly account: string },
): Buffer {
  const text = `kaika card key 1:${identification}:${account}`;
  return cardKey(master, createHash('sha256').update(text).digest('hex').slice(0, 16).toUpperCase());
}

/** A card's key: the master over D ‖ NOT D, D the last 16 digits of a code as packed BCD. */
export function cardKey(master: KnownMaster, digits: string): Buffer {
  const d = Buffer.from(digits.slice(-16).padStart(16, '0'), 'hex');
  return ecb(master.algorithm, master.value, Buffer.concat([d, d.map((byte) => ~byte)]));
}
