/** What answers teach of a load: the package before it removed, its blocks taken, its instance made. */
import type { Fate } from '../../dialects/fate.ts';
import { type CardTypeFacts, transportKeysOf } from './app-work.ts';
import { type CardAppState, withApp } from './card-state.ts';
import { absent, clearDoubt, notLoaded, PROVEN, withoutKeys } from './content-known.ts';
import { reinstalled } from './ground.ts';
import { clean, failApp, type JobOnCard, progress, touch } from './progress.ts';
import type { Meaning } from './state.ts';

const NO_ROOM = 0x6a84;

/** DELETE of the package alone: that it worked, or that there was none, means that no instance is there. */
export function absorbClean(
  now: JobOnCard,
  meaning: Extract<Meaning, { kind: 'clean' }>,
  fate: Fate,
  proven: boolean,
): JobOnCard {
  const { app, wasInDoubt } = meaning;
  switch (fate.kind) {
    case 'ok':
      return absent(now, app, proven);
    case 'refused':
    case 'unsent': {
      // Nothing of the load was sent: the card is as it was.
      const card = withApp(now.card, app, (before) => ({ ...before, inDoubt: wasInDoubt }));
      const undone = progress({ ...now, card }, app, { contentInDoubt: false });
      return fate.kind === 'refused' ? failApp(undone, app, 'load-failed') : undone;
    }
    case 'unknown':
      return now;
  }
}

/** A load that the card refuses leaves nothing behind; of one that is through its own word is noted, so that a torn installation costs no second load. */
export function absorbLoad(
  now: JobOnCard,
  { app, whole }: Extract<Meaning, { kind: 'load' }>,
  fate: Fate,
  proven: boolean,
): JobOnCard {
  switch (fate.kind) {
    case 'unknown':
      return touch(now, app);
    case 'refused':
      return failApp(clearDoubt(now, app), app, loadError(fate.sw));
    case 'unsent':
      return now;
    case 'ok':
      return whole === null || !proven
        ? now
        : { ...now, card: withApp(now.card, app, (before) => ({ ...before, loaded: whole })) };
  }
}

function loadError(sw: number): 'not-enough-memory' | 'load-failed' {
  return sw === NO_ROOM ? 'not-enough-memory' : 'load-failed';
}

/** Where the installation did not happen the package may be there without it: doubt stays until a channel removes it. */
export function absorbInstall(
  now: JobOnCard,
  { app, loadFileHash: hash, alone }: Extract<Meaning, { kind: 'install' }>,
  fate: Fate,
  facts: CardTypeFacts,
  proven: boolean,
): JobOnCard {
  switch (fate.kind) {
    case 'ok':
      return installed(now, app, hash, facts, proven);
    case 'refused': {
      // The package may have gone since it was loaded: the load begins anew.
      if (alone)
        return progress({ ...now, card: withApp(now.card, app, notLoaded) }, app, { contentInDoubt: false });
      const failed = failApp(
        progress(now, app, { contentInDoubt: false, touched: true }),
        app,
        loadError(fate.sw),
      );
      // The package was loaded whole and stands on the card, of no use to anybody: it is removed while the card is here.
      return clean(failed, app);
    }
    case 'unsent':
      return progress(now, app, { contentInDoubt: false });
    case 'unknown':
      return touch(now, app);
  }
}

/**
 * A new life of the app: its keys are the transport keys again. Where the card's type no longer carries it nothing says which these are:
 * the app fails, and that it may be there stays in doubt.
 */
export function installed(
  now: JobOnCard,
  app: string,
  hash: string | null,
  facts: CardTypeFacts,
  proven: boolean,
): JobOnCard {
  const fresh = transportKeysOf(now, app, facts);
  if (fresh === undefined) return touch(failApp(now, app, 'app-not-for-this-card'), app);
  const card = withApp(now.card, app, (before): CardAppState => {
    const { kept } = withoutKeys(before, proven);
    const known = { state: 'installed' as const, loadFileHash: hash, inDoubt: false };
    const instance = before.instance + 1;
    if (proven) return { ...known, instance, keys: fresh, ground: PROVEN };
    if (kept === undefined) return { ...known, instance, keys: fresh };
    return { ...known, instance, keys: reinstalled(fresh, kept.keys, app, facts), kept };
  });
  return progress({ ...now, card }, app, { after: 'installed', contentInDoubt: false, touched: true });
}
