/**
 * What is known of a card's apps, and what a station only said of them. A station that has not let the card show itself in a job may not have
 * it at all: whatever it says there is noted beside what was known, and takes nothing from it. Once the card has shown itself, the job that it
 * did it in decides. Pure.
 */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import { bothOf, sameKey } from '../../dialects/key-slots.ts';
import type { AppKeys } from '../../dialects/keys.ts';
import type { SetAside } from '../../protocol/set-aside.ts';
import { type CardTypeFacts, findRule } from './app-work.ts';
import { type CardAppState, type CardState, isContested, type KeptApp, withApp } from './card-state.ts';
import {
  counted,
  freshFirst,
  holds,
  joined,
  knownFirst,
  recounted,
  withoutDelivered,
  withSaid,
} from './joined-keys.ts';
import { isShown, type JobOnCard, progress } from './progress.ts';
import type { AppProgress, JobState } from './state.ts';

type Facts = Pick<CardTypeFacts, 'profile'>;

/**
 * `now` with what was known in `before` kept where it has to be. Cards of types without a security domain can show nothing: of them a station is
 * believed.
 */
export function grounded(before: CardState, now: JobOnCard, facts: Facts): JobOnCard {
  if (facts.profile.securityDomain === undefined) return now;
  const noted = Object.keys(now.card.apps).reduce((next, app) => note(before.apps[app], next, app), now);
  return noted.job.held
    ? Object.keys(noted.card.apps).reduce((next, app) => settle(next, app, facts), noted)
    : Object.keys(noted.card.apps).reduce((next, app) => leftInDoubt(before.apps[app], next, app), noted);
}

/** Whether an app is there its station only told, so that what was in doubt of it stays so, and what it makes of it is. */
function leftInDoubt(was: CardAppState | undefined, now: JobOnCard, app: string): JobOnCard {
  const is = now.card.apps[app];
  if (is === undefined || is.inDoubt) return now;
  // It never had keys, so there is nothing to lose; but a load that its station says was never sent is no news of it either.
  if (is.keys === null && was?.inDoubt !== true) return now;
  if (was?.inDoubt !== true && is.state === (was?.state ?? 'missing')) return now;
  return { ...now, card: withApp(now.card, app, (known) => ({ ...known, inDoubt: true })) };
}

/** Whether the job is over but for the card's showing that it is there, because something hangs on it. */
export function isDisputed({ job, card }: JobOnCard, { profile }: Facts): boolean {
  if (profile.securityDomain === undefined || job.held) return false;
  const said = Object.entries(job.apps).some(
    ([app, { said }]) => said !== 'nothing' && isContested(card.apps[app]),
  );
  return (
    said || job.setAside !== null || Object.keys(job.apps).some((app) => isSeenEnabled({ job, card }, app))
  );
}

/** `now`, with the job and the time of what the card has just said itself. */
export function dated(now: JobOnCard, since: { readonly job: string; readonly at: string }): JobOnCard {
  const card = Object.entries(now.card.apps).reduce(
    (next, [app, { ground }]) =>
      ground === undefined || ground.in !== undefined
        ? next
        : withApp(next, app, (one) => ({ ...one, ground: { ...ground, in: since } })),
    now.card,
  );
  return card === now.card ? now : { ...now, card };
}

/** The reason for which a card is set aside by a job: one that a card gave which did not show itself is no more than its station's word. */
export function standingSetAside(job: JobState, profile: CardTypeProfile): SetAside | null {
  return isShown(job, profile) ? job.setAside : null;
}

/**
 * A job is about to be planned: both what was known of a contested app and what was said of it are possible. What was said is noted with what was known:
 * it may be the word of the station that has the card, and another one's must not take it away.
 */
export function withBoth(card: CardState, profile: CardTypeProfile): CardState {
  return Object.entries(card.apps).reduce((next, [app, { keys, kept, instance }]) => {
    if (keys === null || kept === undefined) return next;
    const own = rewritten(app, { profile });
    const since = rewrittenSince(kept, next.apps[app], app, { profile });
    const both = joined(keys, kept.keys, since, knownFirst(own), (slot) => slot);
    const rule = findRule({ profile }, app);
    const noted =
      rule === undefined || kept.instance !== instance
        ? kept.keys
        : withSaid(kept.keys, keys, own, issuingOf(rule).keys.tries);
    if (both === keys && noted === kept.keys) return next;
    return withApp(next, app, (known) => ({ ...known, keys: both, kept: { ...kept, keys: noted } }));
  }, card);
}

/**
 * Keys of an app that is said to have been installed anew, where nothing proves it: it may be the one that was there, so its keys are possible too,
 * and what is known of tries and refusals stays.
 */
export function reinstalled(fresh: AppKeys, old: AppKeys, app: string, facts: Facts): AppKeys {
  return joined(fresh, old, rewritten(app, facts), freshFirst, ({ candidates }, known) => ({
    ...known,
    candidates,
  }));
}

/**
 * The card has not shown itself, and with the key that is to be written a slot could have more keys than can be remembered: one of those that are known
 * would be forgotten on the word of a station. Slots that are written again before they are used need no memory.
 */
export function leavesNoRoom({ job, card }: JobOnCard, app: string, facts: Facts): boolean {
  const known = card.apps[app];
  if (isShown(job, facts.profile) || known === undefined || known.keys === null) return false;
  const own = rewritten(app, facts);
  return Object.entries(known.keys).some(([role, slot]) => {
    const target = job.targets[app]?.[role];
    if (own.includes(role) || target === undefined) return false;
    const kept = known.kept?.keys[role];
    const both = kept === undefined ? slot.candidates : bothOf(kept, slot);
    return both === undefined || (both.length > 1 && !both.some((key) => sameKey(key, target)));
  });
}

/** Those whose old key does not matter, because the app was installed since. */
function rewrittenSince(
  kept: KeptApp,
  is: CardAppState | undefined,
  app: string,
  facts: Facts,
): readonly string[] {
  return kept.instance === is?.instance ? [] : rewritten(app, facts);
}

/** Roles whose key is written again before it is used: which it is need never be found out by trying. */
function rewritten(app: string, facts: Facts): readonly string[] {
  const rule = findRule(facts, app);
  return rule === undefined ? [] : issuingOf(rule).keys.rewritten;
}

function note(was: CardAppState | undefined, now: JobOnCard, app: string): JobOnCard {
  const is = now.card.apps[app];
  if (is === undefined || is.keys === was?.keys) return now;
  const said = now.job.apps[app]?.said === 'nothing' ? progress(now, app, { said: 'something' }) : now;
  if (said.job.held || is.kept !== undefined || was === undefined || was.keys === null) return said;
  const { state, instance, keys } = was;
  const kept: KeptApp = { state, instance, keys };
  return { ...said, card: withApp(said.card, app, (known) => ({ ...known, kept })) };
}

/** The card has shown itself to this job: what its station saw and said of the app counts. */
function settle(now: JobOnCard, app: string, facts: Facts): JobOnCard {
  const known = now.card.apps[app];
  const seen = known && looked(now, app, known);
  if (known === undefined || seen === undefined) return now;
  const settled =
    seen.keys === null || seen.kept === undefined
      ? seen
      : settledApp(now, app, facts, seen, seen.keys, seen.kept);
  return settled === known ? now : { ...now, card: withApp(now.card, app, () => settled) };
}

/** What the look before the job found of an app that the job itself has not changed. */
function looked({ job }: JobOnCard, app: string, known: CardAppState): CardAppState {
  const seen = job.seen[app];
  const own = job.apps[app];
  if (seen === undefined || known.keys === null) return known;
  const content = job.steps.flatMap((step) => (step.kind === 'content' ? [step] : []));
  if (content.some(({ deletes }) => deletes.includes(app))) return known;
  if (content.some(({ loads }) => loads.includes(app))) return foundThere(known, own);
  // Its state is what the job has made of it, whatever was told of it before.
  if (own !== undefined && (own.said === 'accepted' || own.touched)) {
    const state = own.after === 'missing' ? known.state : own.after;
    return known.inDoubt || known.state !== state ? { ...known, state, inDoubt: false } : known;
  }
  // What a station only said of it is another matter than what the card, which is there, says itself.
  const { kept } = known;
  if (kept !== undefined && kept.instance === known.instance && kept.state === seen)
    return { ...known, state: seen, inDoubt: false };
  if (seen === known.state || (seen === 'enabled' && known.state === 'installed'))
    return known.inDoubt || seen !== known.state ? { ...known, state: seen, inDoubt: false } : known;
  if (!isAsDelivered(known)) return known.inDoubt ? known : { ...known, inDoubt: true };
  // Nobody has ever done anything with it: there is nothing to lose.
  return { ...known, state: seen, inDoubt: false, keys: seen === 'missing' ? null : known.keys };
}

/** It was to be loaded, and was there already: told before the card had shown itself, and so it was left in doubt. */
function foundThere(known: CardAppState, own: AppProgress | undefined): CardAppState {
  const found = own !== undefined && own.after !== 'missing' && !own.contentInDoubt;
  return found && known.inDoubt && known.state !== 'missing' ? { ...known, inDoubt: false } : known;
}

/** Nothing was ever done with its keys. */
function isAsDelivered({ keys, kept }: CardAppState): boolean {
  return (
    kept === undefined &&
    Object.values(keys ?? {}).every(
      ({ candidates, spent, refused }) =>
        spent === 0 && !refused && candidates.every(({ origin }) => origin === 'factory'),
    )
  );
}

function settledApp(
  { job }: JobOnCard,
  app: string,
  facts: Facts,
  is: CardAppState,
  keys: AppKeys,
  kept: KeptApp,
): CardAppState {
  const { kept: _kept, ...alone } = is;
  switch (job.apps[app]?.said ?? 'nothing') {
    case 'accepted':
      return alone;
    case 'something':
      return holds(keys, kept.keys) ? alone : { ...is, kept: { ...kept, keys: counted(kept.keys, keys) } };
    case 'nothing': {
      const rule = findRule(facts, app);
      if (rule === undefined) return is;
      const { tries } = issuingOf(rule).keys;
      const both = joined(
        keys,
        kept.keys,
        rewrittenSince(kept, is, app, facts),
        knownFirst(rewritten(app, facts)),
        (slot, known, role) => recounted(slot, known, tries(role)),
      );
      // Cards say "enabled" last of all, so an app that was seen enabled has keys of the issuer's.
      const possible = job.seen[app] === 'enabled' ? withoutDelivered(both) : both;
      return holds(both, kept.keys) ? { ...alone, keys: possible } : { ...is, keys: possible };
    }
  }
}

/** The look found the app enabled, and the record does not say so yet, or only because a station told it. */
function isSeenEnabled({ job, card }: JobOnCard, app: string): boolean {
  const known = card.apps[app];
  return (
    job.seen[app] === 'enabled' &&
    known !== undefined &&
    known.keys !== null &&
    (known.state === 'installed' || known.inDoubt)
  );
}
