/**
 * The demo's card manufacturer and issuer: transport keys as a manufacturer would hand them over (they go into the token, and into
 * a file from which further demo cards are made), and the issuer's own keys, made inside the token and known to nobody.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { fromHex, toHex } from '../card/bytes.ts';
import type { Catalogue } from '../catalogue/schema.ts';
import { ruleFor } from '../keyserver/keys/rules.ts';
import { OWN_RESOURCES, openCatalogue } from '../keyserver/resources.ts';
import type { VaultAdmin } from '../keyserver/vault/admin.ts';
import { initToken, openVaultAdmin } from '../keyserver/vault/admin.ts';
import type { VaultTokenConfig } from '../keyserver/vault/config.ts';
import type { KeyAlgorithm, MasterKeyId } from '../keyserver/vault/keys.ts';
import { APP_IDS, type FactoryMasters, factoryMastersSchema } from '../simulator/factory.ts';

/** The demo's two card types and their security domains' key algorithm. */
export const DEMO_TYPES = { 'demo-scp03': 'aes-128', 'demo-scp02': 'des3-16' } as const satisfies Record<
  string,
  KeyAlgorithm
>;
export type DemoType = keyof typeof DEMO_TYPES;

/** One delivery a card type. */
const deliverySchema = z.strictObject({
  'demo-scp03': factoryMastersSchema,
  'demo-scp02': factoryMastersSchema,
});
export type Delivery = z.infer<typeof deliverySchema>;

/** Fresh transport keys; the apps' are the same for both card types, the security domains' are not. */
export function makeDelivery(): Delivery {
  const key = () => toHex(randomBytes(16));
  const pair = () => ({ mck: key(), mtk: key() });
  const apps = { 'e-wallet': pair(), identity: pair(), 'campus-meal': pair(), transit: pair() };
  const type = (): FactoryMasters => ({ isd: { enc: key(), mac: key(), dek: key() }, apps });
  return { 'demo-scp03': type(), 'demo-scp02': type() };
}

/** Keeps a delivery for making further demo cards; mode 0600. */
export function writeDelivery(file: string, delivery: Delivery): void {
  writeFileSync(file, JSON.stringify(delivery), { mode: 0o600, flush: true });
}

/** @throws when the file is not a delivery */
export function readDelivery(file: string): Delivery {
  return deliverySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

export interface DemoToken {
  readonly module: string;
  readonly tokenFolder: string;
  readonly tokenLabel: string;
  readonly pinFile: string;
}

/** Makes the demo token: seal key, the delivery's transport keys, fresh issuer keys version 1. Gives softhsm2.conf's path. */
export async function makeDemoToken(token: DemoToken, delivery: Delivery): Promise<VaultTokenConfig> {
  const pin = toHex(randomBytes(8));
  writeFileSync(token.pinFile, pin, { mode: 0o600, flush: true });
  const paths = await initToken({
    module: token.module,
    tokenFolder: token.tokenFolder,
    label: token.tokenLabel,
    pin,
    soPin: toHex(randomBytes(8)),
  });
  const config: VaultTokenConfig = {
    module: token.module,
    tokenLabel: token.tokenLabel,
    pin: { pinFile: token.pinFile },
    softhsmConf: paths.softhsmConf,
    demo: true,
  };
  const admin = await openVaultAdmin(config);
  try {
    await admin.markDemo();
    await admin.ensureSealKey();
    const catalogue = openCatalogue(OWN_RESOURCES);
    await importTransportKeys(admin, catalogue, delivery);
    for (const app of APP_IDS) {
      for (const slot of ['mck', 'mtk']) {
        const id: MasterKeyId = { purpose: `app/${app}/${slot}`, origin: 'issuer', version: 1 };
        await admin.generateMaster({ id, algorithm: 'des3-16', rule: ruleFor(catalogue, id, 'new') });
      }
    }
  } finally {
    await admin.close();
  }
  return config;
}

async function importTransportKeys(
  admin: VaultAdmin,
  catalogue: Catalogue,
  delivery: Delivery,
): Promise<void> {
  const put = (purpose: string, algorithm: KeyAlgorithm, value: string) => {
    const id: MasterKeyId = { purpose, origin: 'factory', version: 1 };
    return admin.importMaster({ id, algorithm, value: fromHex(value), rule: ruleFor(catalogue, id, 'new') });
  };
  for (const app of APP_IDS) {
    const keys = delivery['demo-scp03'].apps[app];
    await put(`app/${app}/mck`, 'des3-16', keys.mck);
    await put(`app/${app}/mtk`, 'des3-16', keys.mtk);
  }
  for (const type of ['demo-scp03', 'demo-scp02'] as const) {
    const keys = delivery[type].isd;
    for (const name of ['enc', 'mac', 'dek'] as const)
      await put(`isd/${type}/${name}`, DEMO_TYPES[type], keys[name]);
  }
}
