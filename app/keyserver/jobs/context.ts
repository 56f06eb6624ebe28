/** What the job service stands on, and who is calling. */
import type { Catalogue } from '../../catalogue/schema.ts';
import type { LoadPackage } from '../issuer/ports.ts';
import type { ActiveVersion } from '../issuer/targets.ts';
import type { Limits } from '../limits.ts';
import type { Store } from '../store/open.ts';
import type { Vault } from '../vault/vault.ts';

export interface JobContext {
  readonly store: Store;
  readonly vault: Vault;
  readonly catalogue: Catalogue;
  /** The package of an app. @throws KaikaError `app-cannot-be-loaded` */
  readonly package: (app: string) => LoadPackage;
  /** Versions of the issuer's keys that new writes use. @throws VaultError */
  readonly activeVersions: () => Promise<ActiveVersion>;
  readonly now: () => Date;
  readonly random: (bytes: number) => Uint8Array;
  /** How long a silent holder keeps a card, in milliseconds. */
  readonly leaseMilliseconds: number;
  readonly limits: Limits;
  /** Of the store, read when it was opened; a restored backup has a higher one. */
  readonly storeGeneration: number;
}

export type { OperatorCaller, StationCaller } from '../access/callers.ts';

/** When a lease that is taken or renewed now runs out. */
export function leaseEnd({ now, leaseMilliseconds }: Pick<JobContext, 'now' | 'leaseMilliseconds'>): string {
  return new Date(now().getTime() + leaseMilliseconds).toISOString();
}

/**
 * How long a card is kept for a job in which it has not shown itself yet, in milliseconds: enough for the first commands, and short for whoever has the
 * card when its name was only claimed.
 */
const UNSHOWN_MILLISECONDS = 30_000;

/** When the lease of a job that begins now runs out, unless the card shows itself first. */
export function firstLeaseEnd({
  now,
  leaseMilliseconds,
}: Pick<JobContext, 'now' | 'leaseMilliseconds'>): string {
  return new Date(now().getTime() + Math.min(leaseMilliseconds, UNSHOWN_MILLISECONDS)).toISOString();
}
