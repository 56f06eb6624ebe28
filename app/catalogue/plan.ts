/** The planner: what will be done to a card, in which order, in how many trips, and whether it fits. A plan is a value. */
import { LIMITS, type ObservedApp, type Wish } from '../protocol/wire.ts';
import type { CardTypeProfile, Catalogue } from './schema.ts';

/** One stretch of the job: a secure channel with the security domain, the enabling of one app, or the domain's own keys. */
export type PlanStep =
  | { readonly kind: 'content'; readonly deletes: readonly string[]; readonly loads: readonly string[] }
  | { readonly kind: 'enable'; readonly app: string }
  /** An enabled app gets the issuer's keys in the versions that are active now; `writes`: how many key writes that takes. */
  | { readonly kind: 'renew'; readonly app: string; readonly writes: number }
  /** The security domain goes from the factory's keys to the issuer's own, over one channel under each set. */
  | { readonly kind: 'domain-keys'; readonly channels: 1 | 2 };

export interface Plan {
  readonly steps: readonly PlanStep[];
  /** The app whose SELECT and challenge the station may send along with the request; none when a channel comes first. */
  readonly opensWith: string | null;
  /** HTTPS requests of the job, the last report included. */
  readonly trips: number;
  /** Bytes of non-volatile memory: what the loads need, what the card has (null: it does not say). */
  readonly memory: { readonly needed: number; readonly free: number | null };
}

interface PlanRefusal {
  readonly code:
    | 'app-not-in-catalogue'
    | 'app-not-for-this-card'
    | 'app-cannot-be-loaded'
    | 'not-enough-memory'
    | 'bad-request';
  readonly details: Readonly<Record<string, string | number | string[]>>;
}

export interface PlanInput {
  readonly catalogue: Catalogue;
  readonly profile: CardTypeProfile;
  readonly observed: readonly Pick<ObservedApp, 'app' | 'state'>[];
  readonly wishes: readonly Pick<Wish, 'app' | 'action'>[];
  /** Bytes; null when the card does not say. */
  readonly free: number | null;
  /** Apps that are not on the card, but of which a torn load may have left the package; it is removed first. */
  readonly leftovers?: readonly string[];
  /** The card is to have the issuer's own domain keys: `all` of that is to be done, or the `rest` under the new keys. */
  readonly domainKeys?: 'all' | 'rest';
  /** Enabled apps that have keys of other versions than new writes use, or may have; only those that stay on the card are moved. */
  readonly outdated?: readonly { readonly app: string; readonly writes: number }[];
}

/**
 * Plans a job. The domain's own keys come before everything, so that nothing is done for a card that keeps the factory's. Loads come
 * first, enabling follows, then apps with outdated keys, and what cannot be taken back, deleting, comes last; only when memory runs short
 * without it does deleting come before the loads.
 */
export function makePlan(input: PlanInput): { readonly plan: Plan } | { readonly refusal: PlanRefusal } {
  const refusal = refuseWishes(input);
  if (refusal !== undefined) return { refusal };
  const state = (app: string) => input.observed.find((one) => one.app === app)?.state ?? 'missing';
  const enables = input.wishes.filter((wish) => wish.action === 'enable' && state(wish.app) !== 'enabled');
  const loads = enables.map((wish) => wish.app).filter((app) => state(app) === 'missing');
  const leftovers = input.leftovers ?? [];
  const deletes = input.wishes
    .filter(
      (wish) => wish.action === 'delete' && (state(wish.app) !== 'missing' || leftovers.includes(wish.app)),
    )
    .map((wish) => wish.app);

  const unloadable = loads.find((app) => appOf(input.catalogue, app)?.package === undefined);
  const noDomain = input.profile.securityDomain === undefined ? (loads[0] ?? deletes[0]) : undefined;
  const impossible = unloadable ?? noDomain;
  if (impossible !== undefined)
    return { refusal: { code: 'app-cannot-be-loaded', details: { app: impossible } } };

  const needed = sum(loads.map((app) => footprint(input.catalogue, app)));
  const left = sum(leftovers.map((app) => appOf(input.catalogue, app)?.memory.load ?? 0));
  const spare =
    input.free === null ? Number.POSITIVE_INFINITY : input.free - input.profile.memoryReserve + left;
  const freed = sum(
    deletes.filter((app) => state(app) !== 'missing').map((app) => footprint(input.catalogue, app)),
  );
  const deletesFirst = loads.length > 0 && needed > spare;
  if (deletesFirst && needed > spare + freed) {
    return { refusal: notEnough(input, needed, Math.max(0, spare), [...loads, ...deletes]) };
  }

  const steps: PlanStep[] =
    input.domainKeys === undefined
      ? []
      : [{ kind: 'domain-keys', channels: input.domainKeys === 'all' ? 2 : 1 }];
  for (const [at, part] of inBatches(input, loads).entries())
    steps.push({ kind: 'content', deletes: deletesFirst && at === 0 ? deletes : [], loads: part });
  for (const wish of installedFirst(enables, loads)) steps.push({ kind: 'enable', app: wish.app });
  for (const { app, writes } of input.outdated ?? []) {
    if (state(app) === 'enabled' && !deletes.includes(app)) steps.push({ kind: 'renew', app, writes });
  }
  if (deletes.length > 0 && !deletesFirst) steps.push({ kind: 'content', deletes, loads: [] });

  return {
    plan: {
      steps,
      opensWith: openedBy(steps, input.profile),
      trips: countTrips(steps, input.profile),
      memory: { needed, free: input.free },
    },
  };
}

/** Commands of a batch beside those of loads: the channel's own, the next step's beginning, three a deletion, one a leftover. */
const OTHER_COMMANDS = 16;

/** Loads that travel together: one secure channel carries as many as a batch can hold, the next channel the rest. */
function inBatches(input: PlanInput, loads: readonly string[]): string[][] {
  const blockSize = input.profile.securityDomain?.blockSize ?? 1;
  const others =
    OTHER_COMMANDS +
    3 * input.wishes.filter((wish) => wish.action === 'delete').length +
    (input.leftovers?.length ?? 0);
  const batches: string[][] = [];
  let room = 0;
  for (const app of loads) {
    // Remove, announce, install; the load file's tag and length take a block more at most.
    const commands = 4 + Math.ceil((appOf(input.catalogue, app)?.memory.load ?? 0) / blockSize);
    if (commands > room || batches.length === 0) {
      batches.push([]);
      room = LIMITS.commands - others;
    }
    batches[batches.length - 1]?.push(app);
    room -= commands;
  }
  return batches;
}

/** The app whose first challenge can come with the request: that of the first step, where its dialect has one. */
function openedBy(steps: readonly PlanStep[], { apps }: CardTypeProfile): string | null {
  const [first] = steps;
  return first !== undefined && 'app' in first && apps[first.app]?.plan.opening != null ? first.app : null;
}

/**
 * HTTPS requests of a plan: what each step takes inside, one for the last report, and one more when nothing that comes with the request lets
 * the first reply go on (design §3). With FMCOS and n apps to be enabled that is 4n + 1.
 */
export function countTrips(steps: readonly PlanStep[], profile: CardTypeProfile): number {
  const beginning = openedBy(steps, profile) === null ? 1 : 0;
  return sum(steps.map((step) => tripsInside(step, profile))) + 1 + (steps.length === 0 ? 0 : beginning);
}

/** An app without a rule is refused before it is planned for. */
function tripsInside(step: PlanStep, { apps }: CardTypeProfile): number {
  switch (step.kind) {
    case 'enable':
      return apps[step.app]?.plan.enable ?? 0;
    case 'renew':
      return apps[step.app]?.plan.renew(step.writes) ?? 0;
    case 'content':
      return 1;
    case 'domain-keys':
      return step.channels;
  }
}

/** Apps that are on the card already go first: a load that fails then takes nothing from them. */
function installedFirst<T extends { readonly app: string }>(
  enables: readonly T[],
  loads: readonly string[],
): T[] {
  return [
    ...enables.filter((wish) => !loads.includes(wish.app)),
    ...enables.filter((wish) => loads.includes(wish.app)),
  ];
}

function refuseWishes(input: PlanInput): PlanRefusal | undefined {
  for (const [at, wish] of input.wishes.entries()) {
    if (appOf(input.catalogue, wish.app) === undefined) {
      return { code: 'app-not-in-catalogue', details: { app: wish.app } };
    }
    if (!Object.hasOwn(input.profile.apps, wish.app)) {
      return { code: 'app-not-for-this-card', details: { app: wish.app } };
    }
    if (input.wishes.findIndex((other) => other.app === wish.app) !== at) {
      return { code: 'bad-request', details: { app: wish.app } };
    }
  }
  return undefined;
}

function notEnough(input: PlanInput, needed: number, free: number, spoken: readonly string[]): PlanRefusal {
  const suggestions = input.observed
    .filter((one) => one.state !== 'missing' && !spoken.includes(one.app))
    .filter(
      (one) => input.wishes.every((wish) => wish.app !== one.app) && footprint(input.catalogue, one.app) > 0,
    )
    .map((one) => one.app);
  return { code: 'not-enough-memory', details: { needed, free, suggestions } };
}

/**
 * Free bytes of a card that does not say: what its type has, less what the apps seen on it take. Null where the profile does not
 * say either.
 */
export function estimatedFree(
  catalogue: Catalogue,
  profile: CardTypeProfile,
  observed: PlanInput['observed'],
): number | null {
  if (profile.memory === undefined) return null;
  const there = observed.filter((one) => one.state !== 'missing');
  return Math.max(0, profile.memory.nonVolatile - sum(there.map((one) => footprint(catalogue, one.app))));
}

function appOf(catalogue: Catalogue, id: string) {
  return catalogue.apps.find((app) => app.id === id);
}

function footprint(catalogue: Catalogue, id: string): number {
  const memory = appOf(catalogue, id)?.memory;
  return memory === undefined ? 0 : memory.load + memory.instance;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
