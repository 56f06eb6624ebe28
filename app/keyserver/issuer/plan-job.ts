/** What a request comes to on this card: the plan, or why there is none. Pure. */

import { estimatedFree, makePlan, type Plan } from '../../catalogue/plan.ts';
import { freeMemory } from '../../catalogue/recognise.ts';
import type { CardTypeProfile, Catalogue } from '../../catalogue/schema.ts';
import { type AppRule, issuingOf, type Notes } from '../../dialects/dialect.ts';
import { mayTryUnshown } from '../../dialects/key-slots.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { JobRequest } from '../../protocol/wire.ts';
import { type CardAppState, type CardState, isContested, leftovers } from './card-state.ts';
import type { Foreknowledge } from './foretell.ts';
import type { AppProgress } from './state.ts';
import { type ActiveVersion, domainKeysToDo, refuseMove, targetsIfActive } from './targets.ts';

/**
 * The plan for a request, of a card whose record is `card` and whose channel's opening follows from `known`.
 * @throws KaikaError with the refusal's code.
 */
export function planFor(
  catalogue: Catalogue,
  profile: CardTypeProfile,
  { request, identification }: { readonly request: JobRequest; readonly identification: string },
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
    leftovers: [...leftovers(card), ...disappeared(request, card)],
    outdated: outdated(profile, { request, identification }, card, activeVersion),
    ...(domainKeys === undefined ? {} : { domainKeys }),
  });
  if ('plan' in made) {
    refuseContradictions(request);
    const { plan } = made;
    return { ...plan, trips: plan.trips + openingTrips(plan, request, card, profile, known) };
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
  profile: CardTypeProfile,
  known: Foreknowledge | undefined,
): -1 | 0 | 1 {
  const [first] = plan.steps;
  if (plan.opensWith !== null) return takenOpening(request, plan, card, profile) === undefined ? 1 : 0;
  if (known === undefined || (first?.kind !== 'content' && first?.kind !== 'domain-keys')) return 0;
  const loads = first.kind === 'content' ? first.loads : [];
  return loads.some((app) => isDoubtful(card.apps[app], 'enable')) ? 0 : -1;
}

/** Apps that the look did not find, though by the record they are there: whoever wants one deleted has the card asked. */
function disappeared(request: JobRequest, { apps }: CardState): string[] {
  return request.observed
    .filter(({ app, state }) => state === 'missing' && apps[app]?.inDoubt === true)
    .filter(({ app }) => apps[app]?.state !== 'missing')
    .map(({ app }) => app);
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

/** Enabled apps whose keys are not of the active versions, with the key writes that each needs. */
function outdated(
  profile: CardTypeProfile,
  { request, identification }: { readonly request: JobRequest; readonly identification: string },
  card: CardState,
  activeVersion: ActiveVersion,
): { readonly app: string; readonly writes: number }[] {
  const codes = { identification, account: request.account };
  return request.observed.flatMap(({ app, state }) => {
    const rule = Object.hasOwn(profile.apps, app) ? profile.apps[app] : undefined;
    const known = card.apps[app];
    if (state !== 'enabled' || rule === undefined || known === undefined || known.keys === null) return [];
    const targets = targetsIfActive(app, issuingOf(rule).keys.roles, codes, activeVersion);
    if (targets === undefined) return [];
    const writes = issuingOf(rule).keys.writesToRenew(known.keys, targets);
    return writes === 0 ? [] : [{ app, writes }];
  });
}

/**
 * What the dialect of the plan's first app takes from the answers that came with the request; undefined when they are of no use. Where something
 * was said of the app that nothing proves, or few tries of it are left, the card shows itself before anything is tried with it.
 */
export function takenOpening(
  request: JobRequest,
  plan: Plan,
  card: CardState,
  { apps, securityDomain }: CardTypeProfile,
): Notes | undefined {
  const { opening } = request;
  if (opening === undefined || opening.app !== plan.opensWith) return undefined;
  const rule = Object.hasOwn(apps, opening.app) ? apps[opening.app] : undefined;
  if (rule === undefined) return undefined;
  if (securityDomain !== undefined && !mayGoUnshown(card.apps[opening.app], rule)) return undefined;
  return rule.plan.takeOpening(opening);
}

function mayGoUnshown(known: CardAppState | undefined, rule: AppRule): boolean {
  const { tries } = issuingOf(rule).keys;
  const slots = Object.entries(known?.keys ?? {});
  return !isContested(known) && slots.every(([role, slot]) => mayTryUnshown(slot, tries(role)));
}

/** Seen to be gone, but the record is not sure or has keys of it: the card has to say so itself first. */
export function isDoubtful(known: CardAppState | undefined, action: AppProgress['action']): boolean {
  return known !== undefined && (known.inDoubt || (action === 'enable' && known.keys !== null));
}
