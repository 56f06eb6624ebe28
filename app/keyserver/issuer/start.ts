/** The beginning of a job: what was asked and observed becomes a plan and a first state. Pure. */
import { fromHex, toHex } from '../../card/bytes.ts';
import { estimatedFree, makePlan, type Plan } from '../../catalogue/plan.ts';
import { freeMemory } from '../../catalogue/recognise.ts';
import type { AppRule, CardTypeProfile, Catalogue, KeySlot } from '../../catalogue/schema.ts';
import { type KeyCandidate, type SlotName, settled } from '../../dialects/key-slots.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { AppState, JobRequest } from '../../protocol/wire.ts';
import { type CardAppState, type CardState, domainOf, leftovers, withApp } from './card-state.ts';
import { certainSet, type DomainKeySet, isMoved, moveTarget, sameSet } from './domain-keys.ts';
import type { Foreknowledge } from './foretell.ts';
import { speaksAgainstMove } from './key-replacement.ts';
import { type Targets, writesToRenew } from './renew.ts';
import type { AppProgress, JobState } from './state.ts';

/** Version of the issuer's own master key that new writes use. @throws KaikaError `hsm-key-missing` */
export type ActiveVersion = (purpose: string) => number;

/** The 8 bytes D of an identification code or account, hexadecimal: its last 16 digits, left-padded with 0. */
export function factorOf(code: string): string {
  if (!/^[0-9A-F]+$/.test(code)) throw new RangeError('a code that has other characters than digits');
  return code.slice(-FACTOR_DIGITS).padStart(FACTOR_DIGITS, '0');
}

const FACTOR_DIGITS = 16;

/** The transport keys that a freshly installed app has. */
export function transportKeys(
  rule: AppRule,
  identification: string,
  account: string,
): NonNullable<CardState['apps'][string]['keys']> {
  const key = (slot: KeySlot): KeyCandidate => ({
    origin: 'factory',
    version: slot.transportKey.version,
    factor: factorOf(slot.transportKey.factor === 'account' ? account : identification),
  });
  return { mck: settled(key(rule.mck)), mtk: settled(key(rule.mtk)) };
}

/**
 * Brings the record and what the station saw together, where seeing adds something: a card at first sight, an app that came from
 * elsewhere, the outcome of a load or deletion in doubt. It never takes a key away that the card may hold: an app seen to be gone keeps
 * its keys and its doubt until the card itself says in a job that nothing is there.
 */
export function reconcile(
  card: CardState,
  request: Pick<JobRequest, 'observed' | 'account'>,
  profile: CardTypeProfile,
  identification: string,
): CardState {
  return request.observed.reduce((known, seen) => {
    const rule = Object.hasOwn(profile.apps, seen.app) ? profile.apps[seen.app] : undefined;
    if (rule === undefined) return known;
    const before = known.apps[seen.app];
    if (seen.state === 'missing') {
      return before === undefined || before.state === 'missing'
        ? known
        : withApp(known, seen.app, (app) => ({ ...app, state: 'missing' }));
    }
    if (before !== undefined && before.keys !== null) {
      return before.inDoubt || before.state !== seen.state
        ? withApp(known, seen.app, (app) => ({ ...app, state: seen.state, inDoubt: false }))
        : known;
    }
    return withApp(known, seen.app, (app) => ({
      ...app,
      state: seen.state,
      instance: app.instance + 1,
      inDoubt: false,
      keys: transportKeys(rule, identification, request.account),
    }));
  }, card);
}

/** Whether issuing moves this card to other domain keys, or has to finish a move of which the keys are done. */
function domainKeysToDo(
  profile: CardTypeProfile,
  card: CardState,
  activeVersion: ActiveVersion,
): 'all' | 'rest' | undefined {
  const target = domainTarget(profile, card, activeVersion);
  if (target === null) return undefined;
  const state = domainOf(card, profile);
  if (isMoved(state, target)) return undefined;
  const certain = certainSet(state);
  return certain !== undefined && sameSet(certain, target) ? 'rest' : 'all';
}

/** @throws KaikaError `wrong-card-type` when the card itself says that its keys cannot be changed as its type has it. */
function refuseMove(
  profile: CardTypeProfile,
  card: CardState,
  request: Pick<JobRequest, 'card'>,
  activeVersion: ActiveVersion,
): void {
  const { securityDomain: domain } = profile;
  const from = certainSet(domainOf(card, profile));
  // A move that was begun is settled by the card in a channel.
  if (domain === undefined || from === undefined) return;
  const to = domainTarget(profile, card, activeVersion);
  const reason = to === null ? undefined : speaksAgainstMove(domain, from, to, request.card.keyInformation);
  if (reason !== undefined) throw new KaikaError('wrong-card-type', reason);
}

/** What issuing moves the domain's keys to; null where the profile does not ask for it. */
function domainTarget(
  profile: CardTypeProfile,
  card: CardState,
  activeVersion: ActiveVersion,
): DomainKeySet | null {
  const domain = profile.securityDomain;
  if (domain?.issuerKeys?.atIssuing !== true) return null;
  const versions = ['enc', 'mac', 'dek'].map((key) => activeVersion(`isd/${profile.id}/${key}`));
  return moveTarget(domain, domainOf(card, profile), Math.min(...versions)) ?? null;
}

/** Enabled apps whose keys are not of the active versions, with the key writes that each needs. */
function outdated(
  profile: CardTypeProfile,
  request: JobRequest,
  card: CardState,
  activeVersion: ActiveVersion,
): { readonly app: string; readonly writes: number }[] {
  return request.observed.flatMap(({ app, state }) => {
    const rule = Object.hasOwn(profile.apps, app) ? profile.apps[app] : undefined;
    const known = card.apps[app];
    if (state !== 'enabled' || rule === undefined || known === undefined) return [];
    const targets = targetsIfActive(app, request.account, activeVersion);
    if (targets === undefined) return [];
    const writes = writesToRenew(known, targets, rule.mck.counter >> 4);
    return writes === 0 ? [] : [{ app, writes }];
  });
}

/** An app whose keys are not all active keeps what it has: nobody asked for it. */
function targetsIfActive(app: string, account: string, activeVersion: ActiveVersion): Targets | undefined {
  try {
    return targetsOf(app, account, activeVersion);
  } catch (error) {
    if (error instanceof KaikaError && error.code === 'hsm-key-missing') return undefined;
    throw error;
  }
}

/** What new writes put into an app's slots. @throws KaikaError `hsm-key-missing` */
function targetsOf(app: string, account: string, activeVersion: ActiveVersion) {
  const key = (slot: SlotName): KeyCandidate => ({
    origin: 'issuer',
    version: activeVersion(`app/${app}/${slot}`),
    factor: factorOf(account),
  });
  return { mck: key('mck'), mtk: key('mtk') };
}

/**
 * The plan for a request, of a card whose record is `card` and whose channel's opening follows from `known`.
 * @throws KaikaError with the refusal's code.
 */
export function planFor(
  catalogue: Catalogue,
  profile: CardTypeProfile,
  request: JobRequest,
  card: CardState,
  activeVersion: ActiveVersion,
  known?: Foreknowledge,
): Plan {
  const domainKeys = domainKeysToDo(profile, card, activeVersion);
  if (domainKeys === 'all') refuseMove(profile, card, request, activeVersion);
  const made = makePlan({
    catalogue,
    profile,
    observed: request.observed,
    wishes: request.wishes,
    free: freeMemory(request.card) ?? estimatedFree(catalogue, profile, request.observed),
    leftovers: leftovers(card),
    outdated: outdated(profile, request, card, activeVersion),
    ...(domainKeys === undefined ? {} : { domainKeys }),
  });
  if ('plan' in made) {
    refuseContradictions(request);
    const { plan } = made;
    return { ...plan, trips: plan.trips + openingTrips(plan, request, card, known) };
  }
  const details = Object.fromEntries(
    Object.entries(made.refusal.details).map(([key, value]) => [key, value]),
  );
  throw new KaikaError(made.refusal.code, 'the job cannot be planned', details);
}

/**
 * Without a usable opening the job's first challenge costs a trip of its own; a channel whose opening is foretold costs none but
 * that of its commands.
 */
function openingTrips(
  plan: Plan,
  request: JobRequest,
  card: CardState,
  known: Foreknowledge | undefined,
): -1 | 0 | 1 {
  const [first] = plan.steps;
  if (plan.opensWith !== null) return openingChallenge(request, plan) === undefined ? 1 : 0;
  if (known === undefined || (first?.kind !== 'content' && first?.kind !== 'domain-keys')) return 0;
  const loads = first.kind === 'content' ? first.loads : [];
  return loads.some((app) => isDoubtful(card.apps[app], 'enable')) ? 0 : -1;
}

/** Nothing is planned on a guess: every wished app was seen, once. */
function refuseContradictions(request: JobRequest): void {
  const seen = request.observed.map((one) => one.app);
  const twice = seen.find((app, at) => seen.indexOf(app) !== at);
  if (twice !== undefined) throw new KaikaError('bad-request', 'an app was observed twice', { app: twice });
  const unseen = request.wishes.find((wish) => !seen.includes(wish.app));
  if (unseen !== undefined)
    throw new KaikaError('bad-request', 'a wish for an app that was not observed', { app: unseen.app });
}

/** The first state of a job, before anything was sent. `card` is the record, brought together with what was seen. */
export function firstState(input: {
  readonly request: JobRequest;
  readonly card: CardState;
  readonly plan: Plan;
  readonly profile: CardTypeProfile;
  readonly identification: string;
  readonly activeVersion: ActiveVersion;
  readonly confirmedPurses: readonly string[];
}): JobState {
  const { request, plan } = input;
  const withKeys = plan.steps.flatMap((step) => ('app' in step ? [step.app] : []));
  const renewed = plan.steps.flatMap((step) => (step.kind === 'renew' ? [step.app] : []));
  const opening = openingChallenge(request, plan);
  return {
    profile: input.profile.id,
    identification: input.identification,
    account: request.account,
    accountFactor: factorOf(request.account),
    steps: plan.steps.map((step) =>
      step.kind === 'content' ? { ...step, deletes: [...step.deletes], loads: [...step.loads] } : { ...step },
    ),
    plannedTrips: plan.trips,
    at: 0,
    cardEpoch: request.cardEpoch,
    identified: opening !== undefined,
    apps: Object.fromEntries([
      ...renewed.map((app) => [app, progressOf('renew', 'enabled', undefined)] as const),
      // A wish comes after: enabling what is enabled already stays a wish, whatever else happens to the app.
      ...request.wishes.map(
        (wish) =>
          [wish.app, progressOf(wish.action, stateOf(request, wish.app), input.card.apps[wish.app])] as const,
      ),
    ]),
    targets: Object.fromEntries(
      withKeys.map((app) => [app, targetsOf(app, request.account, input.activeVersion)]),
    ),
    domainTarget: plan.steps.some((step) => step.kind === 'domain-keys')
      ? domainTarget(input.profile, input.card, input.activeVersion)
      : null,
    domainMoves: 0,
    domainTouched: false,
    confirmedPurses: [...input.confirmedPurses],
    scratch: opening === undefined ? {} : { challenge: { step: 0, value: opening } },
    sent: [],
    channel: null,
    trips: 1,
    error: null,
    setAside: null,
  };
}

/** The challenge that came with the request, when it is for the plan's first app and the card gave 4 bytes. */
function openingChallenge(request: JobRequest, plan: Plan): string | undefined {
  const opening = request.opening;
  if (opening === undefined || opening.app !== plan.opensWith) return undefined;
  const challenge = fromHex(opening.challenge);
  const accepted =
    opening.select.endsWith('9000') && opening.challenge.endsWith('9000') && challenge.length === 6;
  return accepted ? toHex(challenge.slice(0, 4)) : undefined;
}

function stateOf(request: JobRequest, app: string): AppState {
  return request.observed.find((one) => one.app === app)?.state ?? 'missing';
}

function progressOf(
  action: AppProgress['action'],
  before: AppState,
  known: CardAppState | undefined,
): AppProgress {
  return {
    action,
    before,
    after: before,
    error: null,
    attempts: 0,
    loads: 0,
    flagInDoubt: false,
    contentInDoubt: before === 'missing' && isDoubtful(known, action),
    touched: false,
  };
}

/** Seen to be gone, but the record is not sure or has keys of it: the card has to say so itself first. */
function isDoubtful(known: CardAppState | undefined, action: AppProgress['action']): boolean {
  return known !== undefined && (known.inDoubt || (action === 'enable' && known.keys !== null));
}
