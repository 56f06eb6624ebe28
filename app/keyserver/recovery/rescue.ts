/** Which keys of an older receipt still hold for a card on which jobs have begun since. Pure. */

import type { AppKeys } from '../../dialects/keys.ts';
import { type CardAppState, type CardState, isContested, withApp, withDomain } from '../issuer/card-state.ts';
import { type DomainState, sameSet } from '../issuer/domain-keys.ts';

/** What jobs since then may have changed, because the card let them in. */
export interface TouchedSince {
  /** By what their stations say. */
  readonly apps: ReadonlySet<string>;
  /** Those of them of which a job says so in which the card had shown itself. */
  readonly shown: ReadonlySet<string>;
  /** `told`: by what their stations say; `shown`: the card had shown itself. */
  readonly domain: 'no' | 'told' | 'shown';
}

/**
 * `now`, with the keys of `before` wherever no job since has been let in by the card: keys are written behind an authentication only, so
 * what was true of them still is. Tries stay spent, so that the next attempt counts like any. What a station only said, in a job in which the card
 * did not show itself, keeps nobody from what was true before, neither since then nor in the receipt's own job.
 */
export function rescued(now: CardState, before: CardState, since: TouchedSince): CardState {
  const apps = Object.entries(before.apps).reduce((card, [app, older]) => {
    const touched = { told: since.apps.has(app), shown: since.shown.has(app) };
    const known = now.apps[app];
    const next = known === undefined ? isNews(older, touched) : rescuedApp(known, older, touched);
    return next === undefined || next === known ? card : withApp(card, app, () => next);
  }, now);
  const { domain } = before;
  if (domain === undefined || !domain.candidates.some(({ origin }) => origin === 'issuer')) return apps;
  if (now.domain !== undefined && same(setsOf(now.domain), setsOf(domain))) return apps;
  if (since.domain === 'shown' || (since.domain === 'told' && !isRefuted(now.domain, domain))) return apps;
  // What people allowed since the receipt may be used up.
  const { granted: _used, ...keys } = domain;
  const spent = Math.max(domain.spent, now.domain?.spent ?? 0);
  const granted = now.domain?.granted;
  return withDomain(apps, { ...keys, spent, ...(granted === undefined ? {} : { granted }) });
}

/**
 * Whether a card with the sets of `before` could not have let a job in that had only those of `now`: what is said of such a job did not happen.
 */
function isRefuted(now: DomainState | undefined, before: DomainState): boolean {
  const had = before.leaving === null ? before.candidates : [...before.candidates, before.leaving];
  return now?.candidates.some((set) => had.some((one) => sameSet(one, set))) !== true;
}

/** Whether a job since was let in by an app: by what its station says, and the card had shown itself. */
interface Touched {
  readonly told: boolean;
  readonly shown: boolean;
}

/** An app with keys that nobody has told of since: a station may have kept quiet about it. */
function isNews(older: CardAppState, since: Touched): CardAppState | undefined {
  return since.told || (older.kept ?? older).keys === null ? undefined : older;
}

function rescuedApp(known: CardAppState, older: CardAppState, since: Touched): CardAppState {
  const { keys, kept } = known;
  // What the receipt's job only said of the app is beside what was true of it.
  const was = older.kept ?? older;
  if (was.keys === null) return known;
  if (keys === null) return was.instance > known.instance ? (isNews(older, since) ?? known) : known;
  if (kept !== undefined && isContested(known)) {
    if (since.shown || was.instance < kept.instance || sameKeys(kept.keys, was.keys)) return known;
    const instance = known.instance === kept.instance ? was.instance : known.instance;
    return {
      ...known,
      instance,
      kept: { ...kept, instance: was.instance, keys: withKeys(kept.keys, was.keys) },
    };
  }
  if (since.told || was.instance < known.instance) return known;
  const said = older.kept === undefined || older.keys === null ? was.keys : older.keys;
  if (sameKeys(keys, said) && sameKeys(keys, was.keys)) return known;
  return {
    ...known,
    instance: older.instance,
    loadFileHash: known.loadFileHash ?? older.loadFileHash,
    keys: withKeys(keys, said),
    ...(said === was.keys
      ? {}
      : { kept: { state: known.state, instance: was.instance, keys: withKeys(keys, was.keys) } }),
  };
}

/** The slots of `keys` with the candidates of `older`, none of them refused. */
function withKeys(keys: AppKeys, older: AppKeys): AppKeys {
  const slots = Object.entries(keys).map(([role, slot]) => {
    const candidates = older[role]?.candidates ?? slot.candidates;
    return [role, { ...slot, candidates, refused: false }] as const;
  });
  return Object.fromEntries(slots);
}

function sameKeys(one: AppKeys, other: AppKeys): boolean {
  return Object.entries(one).every(
    ([role, { refused, candidates }]) => !refused && same(candidates, other[role]?.candidates),
  );
}

const setsOf = ({ candidates, leaving }: DomainState) => [candidates, leaving];

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
