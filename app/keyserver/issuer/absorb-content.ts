/** What answers teach in a content step: loading, installing, deleting over the security domain's secure channel. */
import { toHex } from '../../card/bytes.ts';
import type { Fate } from './answers.ts';
import { withApp } from './card-state.ts';
import { type Absorbed, type AbsorbRules, failApp, failStep, progress, remember } from './progress.ts';
import type { Meaning, Sent } from './state.ts';

/** Meanings that only a content step has; every other kind leaves things as they are. */
export function absorbContent(
  now: Absorbed,
  sent: Sent,
  meaning: Meaning,
  fate: Fate,
  rules: AbsorbRules,
): Absorbed {
  switch (meaning.kind) {
    case 'balance':
      return absorbBalance(now, meaning.app, fate);
    case 'probe':
      return absorbProbe(now, meaning.app, fate, rules);
    case 'initialize-update':
      return absorbInitializeUpdate(now, sent, meaning.hostChallenge, fate);
    case 'channel':
      return fate.kind === 'refused' ? failStep(now, sent.step, 'card-refused-key') : now;
    case 'clean':
    case 'load':
      return absorbLoading(now, meaning.app, fate);
    case 'install':
      return absorbInstall(now, meaning.app, meaning.loadFileHash, fate, rules);
    case 'delete':
      return absorbDelete(now, meaning.app, fate);
    default:
      return now;
  }
}

/** A purse that holds money, or will not say, is not deleted without a second person; the other wishes go on. */
function absorbBalance(now: Absorbed, app: string, fate: Fate): Absorbed {
  if (fate.kind !== 'refused') return now;
  return failApp(now, app, fate.sw === 0x9000 ? 'purse-not-empty' : 'balance-unreadable');
}

/** SELECT after an interrupted load: 9000 means that the instance is there, so the load is not repeated. */
function absorbProbe(now: Absorbed, app: string, fate: Fate, rules: AbsorbRules): Absorbed {
  if (fate.kind !== 'ok' || !fate.answered) {
    return fate.kind === 'refused' ? failApp(now, app, 'card-refused-command') : now;
  }
  if (fate.sw !== 0x9000) return progress(clearDoubt(now, app), app, { contentInDoubt: false });
  return installed(now, app, now.card.apps[app]?.loadFileHash ?? null, rules);
}

function absorbInitializeUpdate(now: Absorbed, sent: Sent, hostChallenge: string, fate: Fate): Absorbed {
  if (fate.kind === 'refused') return failStep(now, sent.step, 'card-refused-command');
  if (fate.kind !== 'ok' || !fate.answered) return now;
  return remember(now, { channel: { step: sent.step, hostChallenge, response: toHex(fate.data) } });
}

const NO_ROOM = 0x6a84;

function absorbLoading(now: Absorbed, app: string, fate: Fate): Absorbed {
  if (fate.kind !== 'refused') return now;
  const failed = failApp(now, app, fate.sw === NO_ROOM ? 'not-enough-memory' : 'load-failed');
  return progress(clearDoubt(failed, app), app, { contentInDoubt: false });
}

function absorbInstall(now: Absorbed, app: string, hash: string, fate: Fate, rules: AbsorbRules): Absorbed {
  switch (fate.kind) {
    case 'ok':
      return installed(now, app, hash, rules);
    case 'refused':
      return absorbLoading(now, app, fate);
    case 'unsent':
      return progress(clearDoubt(now, app), app, { contentInDoubt: false });
    case 'unknown':
      return now;
  }
}

/** A new life of the app: its keys are the transport keys again. */
function installed(now: Absorbed, app: string, hash: string | null, rules: AbsorbRules): Absorbed {
  const card = withApp(now.card, app, (before) => ({
    state: 'installed',
    instance: before.instance + 1,
    loadFileHash: hash,
    inDoubt: false,
    keys: rules.transportKeys(app),
  }));
  return progress({ ...now, card }, app, { after: 'installed', contentInDoubt: false });
}

function absorbDelete(now: Absorbed, app: string, fate: Fate): Absorbed {
  switch (fate.kind) {
    case 'ok': {
      const card = withApp(now.card, app, (before) => ({
        ...before,
        state: 'missing',
        loadFileHash: null,
        inDoubt: false,
        keys: null,
      }));
      return progress({ ...now, card }, app, { after: 'missing' });
    }
    case 'refused':
      return failApp(clearDoubt(now, app), app, 'card-refused-command');
    case 'unsent':
      return clearDoubt(now, app);
    case 'unknown':
      return now;
  }
}

function clearDoubt(now: Absorbed, app: string): Absorbed {
  return { ...now, card: withApp(now.card, app, (before) => ({ ...before, inDoubt: false })) };
}
