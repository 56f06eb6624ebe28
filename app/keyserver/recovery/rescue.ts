/** What older knowledge is good for where nothing newer is known. Pure. */

import type { KeySlotState, SlotName } from '../../dialects/key-slots.ts';
import { type CardState, withApp, withDomain } from '../issuer/card-state.ts';
import type { DomainState } from '../issuer/domain-keys.ts';

/** What jobs since then may have changed, because the card let them in. */
export interface TouchedSince {
  readonly apps: ReadonlySet<string>;
  readonly domain: boolean;
}

/**
 * `now`, with the keys of `before` wherever no job since has been let in by the card: keys are written behind an authentication only, so
 * what was true of them still is. Tries stay spent, so that the next attempt counts like any.
 */
export function rescued(now: CardState, before: CardState, since: TouchedSince): CardState {
  const apps = Object.entries(now.apps).reduce((card, [app, { keys, instance }]) => {
    const older = before.apps[app];
    if (since.apps.has(app) || keys === null || older?.keys == null || older.instance < instance) return card;
    if (sameKeys(keys, older.keys)) return card;
    const slot = (name: SlotName): KeySlotState => ({
      ...keys[name],
      candidates: older.keys?.[name].candidates ?? keys[name].candidates,
      refused: false,
    });
    return withApp(card, app, (known) => ({
      ...known,
      instance: older.instance,
      loadFileHash: known.loadFileHash ?? older.loadFileHash,
      keys: { mck: slot('mck'), mtk: slot('mtk') },
    }));
  }, now);
  const { domain } = before;
  if (since.domain || domain === undefined || !domain.candidates.some(({ origin }) => origin === 'issuer'))
    return apps;
  if (now.domain !== undefined && same(setsOf(now.domain), setsOf(domain))) return apps;
  return withDomain(apps, { ...domain, spent: Math.max(domain.spent, now.domain?.spent ?? 0) });
}

type Keys = Readonly<Record<SlotName, KeySlotState>>;

function sameKeys(one: Keys, other: Keys): boolean {
  const refused = one.mck.refused || one.mtk.refused;
  return (
    !refused && same([one.mck.candidates, one.mtk.candidates], [other.mck.candidates, other.mtk.candidates])
  );
}

const setsOf = ({ candidates, leaving }: DomainState) => [candidates, leaving];

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
