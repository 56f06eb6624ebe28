/** What is known of an app once something of its load, installation or deletion is settled. Pure. */
import { type CardAppState, withApp } from './card-state.ts';
import type { JobOnCard } from './progress.ts';

/** The ground of what the card's own MAC on its answer says. */
export const PROVEN = { by: 'proven' } as const;

/**
 * The instance is not there, so its keys are not either; where nothing proves it, they are kept. A package without an instance may be there: doubt
 * stays.
 */
export function absent(now: JobOnCard, app: string, proven: boolean): JobOnCard {
  return { ...now, card: withApp(now.card, app, (before) => withoutKeys(before, proven)) };
}

export function withoutKeys(before: CardAppState, proven: boolean): CardAppState {
  const { kept: older, ground: _ground, loaded: _loaded, keys, ...rest } = before;
  const gone = { ...rest, state: 'missing' as const, keys: null };
  if (proven) return { ...gone, ground: PROVEN };
  const { state, instance } = before;
  const kept = older ?? (keys === null ? undefined : { state, instance, keys });
  return kept === undefined ? gone : { ...gone, kept };
}

/** Nothing is in doubt any more; a load that did not come about has no load file. */
export function clearDoubt(now: JobOnCard, app: string): JobOnCard {
  const card = withApp(now.card, app, (before) => ({
    ...notLoaded(before),
    inDoubt: false,
    loadFileHash: before.state === 'missing' ? null : before.loadFileHash,
  }));
  return { ...now, card };
}

/** No package is known to stand there without an instance. */
export function notLoaded({ loaded: _loaded, ...known }: CardAppState): CardAppState {
  return known;
}
