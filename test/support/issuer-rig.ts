/**
 * A key server's inside without its network: real store, real SoftHSM through the vault process, real packages; and a
 * virtual card with a forwarder as small as it can be. The station engine has tests of its own.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type Delivery, type DemoType, makeDelivery, type makeDemoToken } from '../../app/demo/delivery.ts';
import { findSoftHsm } from '../../app/demo/softhsm-module.ts';
import type { JobContext } from '../../app/keyserver/jobs/context.ts';
import { openActiveVersions } from '../../app/keyserver/keys/active-versions.ts';
import { DEFAULT_LIMITS, type Limits } from '../../app/keyserver/limits.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../../app/keyserver/resources.ts';
import type { StoreConfig } from '../../app/keyserver/store/config.ts';
import { openStore } from '../../app/keyserver/store/open.ts';
import { startVault } from '../../app/keyserver/vault/client.ts';
import type { VaultTokenConfig } from '../../app/keyserver/vault/config.ts';
import type { Vault } from '../../app/keyserver/vault/vault.ts';
import { type CardSpec, makeCard } from '../../app/simulator/factory.ts';
import { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { demoToken, RUN_FOLDER } from './demo-token.ts';
import { PATIENT_VAULT } from './limit.ts';
import { type RigVerbs, verbsOf } from './rig-verbs.ts';
import { shared } from './shared.ts';
import { openStorePlaces, type StoreKind, type StorePlaces } from './stores.ts';
import { scratchFolder } from './temporary.ts';

export interface IssuerRig extends RigVerbs {
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
  refusedJobsPerHour: 1_000_000,
  recordsPerHour: 1_000_000,
  receiptsPerStationHour: 1_000_000,
  signInFailures: 1_000,
  requestsPerSecond: 100_000,
  refusalsPerSecond: 100_000,
  connectionsPerStation: 10_000,
  jobsAtOnce: 10_000,
};

export function openIssuerRig(kind: StoreKind = 'sqlite', makeToken?: MakeToken): Promise<IssuerRig> {
  return openOver(kind, async (folder, closing) => {
    const opened = await openVault(makeToken === undefined ? demoToken(folder) : tokenOf(makeToken, folder));
    closing.push(() => opened.vault.close());
    return opened;
  });
}

/** A rig for the tests of a file, or of one describe. All of a process have one vault: none of them may change its token or take it away. */
export const issuerRig = (kind?: StoreKind): Omit<IssuerRig, 'token'> =>
  shared(() => openOver(kind ?? 'sqlite', commonVault));

/** The same with a token of its own: for tests that change it or take it away. */
export const tokenRig = (kind?: StoreKind, makeToken?: MakeToken): IssuerRig =>
  shared(() => openIssuerRig(kind, makeToken));

interface OpenVault extends Awaited<ReturnType<typeof demoToken>> {
  readonly vault: Vault;
}

let common: Promise<OpenVault> | undefined;

/** A vault on a token of this process, which ends with the process. */
async function commonVault(): Promise<OpenVault> {
  common ??= openVault(demoToken(ofThisProcess()));
  const { vault, ...made } = await common;
  // Whoever closes it closes it for itself; and what a test puts in a call's place is in nobody else's.
  return { ...made, vault: { ...vault, close: async () => undefined } };
}

/** Below the run's folder, which goes with the run. */
function ofThisProcess(): string {
  const run = process.env[RUN_FOLDER];
  return run === undefined ? scratchFolder('kaika-common-') : mkdtempSync(join(run, 'common-'));
}

async function openVault(made: ReturnType<typeof demoToken>): Promise<OpenVault> {
  const { token, delivery } = await made;
  return { token, delivery, vault: await startVault({ ...token, ...PATIENT_VAULT }) };
}

async function tokenOf(makeToken: MakeToken, folder: string) {
  const delivery = makeDelivery();
  const at = {
    module: findSoftHsm(),
    tokenFolder: join(folder, 'token'),
    tokenLabel: 'test',
    pinFile: join(folder, 'pin'),
  };
  return { token: await makeToken(at, delivery), delivery };
}

/** What is to be closed, in the order in which it was opened. */
type Closing = (() => Promise<void>)[];

/** A rig on a store of its own. What was opened is closed, too, when opening the rest fails. */
async function openOver(
  kind: StoreKind,
  open: (folder: string, closing: Closing) => Promise<OpenVault>,
): Promise<IssuerRig> {
  const places = await openStorePlaces(kind);
  const closing: Closing = [() => places.close()];
  const close = async () => {
    for (const one of closing.reverse()) await one();
  };
  try {
    return { ...(await rigOn(places, await open(places.folder, closing), closing)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function rigOn(
  places: StorePlaces,
  { token, delivery, vault }: OpenVault,
  closing: Closing,
): Promise<Omit<IssuerRig, 'close'>> {
  const { folder } = places;
  const storeConfig = await places.empty();
  const store = await openStore(storeConfig);
  closing.push(() => store.destroy());
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
    ...verbsOf(context),
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
  };
}

/** Decimal digits that do not begin with 0. */
export function randomDigits(count: number): string {
  return Array.from(randomBytes(count), (byte, i) => String(i === 0 ? 1 + (byte % 9) : byte % 10)).join('');
}

export function newRequestId(): string {
  return randomUUID();
}
