/**
 * A key server's inside without its network: real store, real SoftHSM through the vault process, real packages; and a
 * virtual card with a forwarder as small as it can be. The station engine has tests of its own.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Delivery, type DemoType, makeDelivery, makeDemoToken } from '../../app/demo/delivery.ts';
import { findSoftHsm } from '../../app/demo/softhsm-module.ts';
import type { JobContext } from '../../app/keyserver/jobs/context.ts';
import { openActiveVersions } from '../../app/keyserver/keys/active-versions.ts';
import { DEFAULT_LIMITS, type Limits } from '../../app/keyserver/limits.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../../app/keyserver/resources.ts';
import type { StoreConfig } from '../../app/keyserver/store/config.ts';
import { openStore } from '../../app/keyserver/store/open.ts';
import { startVault } from '../../app/keyserver/vault/client.ts';
import type { VaultTokenConfig } from '../../app/keyserver/vault/config.ts';
import { type CardSpec, makeCard } from '../../app/simulator/factory.ts';
import { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { type Postgresql, type StoreKind, startPostgresql } from './postgresql.ts';

export interface IssuerRig {
  readonly context: JobContext;
  readonly folder: string;
  /** The transport keys that the cards are made with. */
  readonly delivery: Delivery;
  /** The token behind the vault, for set-up and for making it go away. */
  readonly token: VaultTokenConfig;
  readonly store: StoreConfig;
  newCard(spec?: Partial<CardSpec>): { card: VirtualCard; identification: string };
  close(): Promise<void>;
}

/** Makes a token in `folder` from a delivery; the demo's own unless a test needs keys that it knows. */
export type MakeToken = typeof makeDemoToken;

/** So that tests of other things never meet one. */
export const HIGH_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  authenticationsPerCardDay: 1_000_000,
  authenticationsPerStationHour: 1_000_000,
  jobsPerCardDay: 1_000_000,
  jobsPerStationHour: 1_000_000,
  receiptsPerStationHour: 1_000_000,
  signInFailures: 1_000,
  requestsPerSecond: 100_000,
  jobsAtOnce: 10_000,
};

export async function openIssuerRig(
  makeToken: MakeToken = makeDemoToken,
  kind: StoreKind = 'sqlite',
): Promise<IssuerRig> {
  const folder = mkdtempSync(join(tmpdir(), 'kaika-issuer-'));
  const delivery = makeDelivery();
  const token = await makeToken(
    {
      module: findSoftHsm(),
      tokenFolder: join(folder, 'token'),
      tokenLabel: 'test',
      pinFile: join(folder, 'pin'),
    },
    delivery,
  );
  const vault = await startVault(token);
  let database: Postgresql | undefined;
  if (kind === 'postgresql') database = await startPostgresql();
  const storeConfig: StoreConfig = (await database?.database()) ?? {
    kind: 'sqlite',
    file: join(folder, 'store', 'kaika.sqlite'),
  };
  const store = await openStore(storeConfig);
  const catalogue = openCatalogue(OWN_RESOURCES);
  const context: JobContext = {
    store,
    vault,
    catalogue,
    package: openPackages(OWN_RESOURCES, catalogue),
    activeVersions: openActiveVersions({ store, vault, now: () => Date.now() }),
    now: () => new Date(),
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    leaseMilliseconds: 60_000,
    limits: HIGH_LIMITS,
    storeGeneration: 1,
  };
  return {
    context,
    folder,
    delivery,
    token,
    store: storeConfig,
    newCard(spec = {}) {
      const identification = randomDigits(16);
      const type: DemoType = spec.type ?? 'demo-scp03';
      const image = makeCard({ identificationCode: identification, ...spec, type }, delivery[type]);
      const card = new VirtualCard(image);
      card.powerOn();
      return { card, identification };
    },
    async close() {
      await vault.close();
      await store.destroy();
      await database?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Decimal digits that do not begin with 0. */
export function randomDigits(count: number): string {
  return Array.from(randomBytes(count), (byte, i) => String(i === 0 ? 1 + (byte % 9) : byte % 10)).join('');
}

export function newRequestId(): string {
  return randomUUID();
}
