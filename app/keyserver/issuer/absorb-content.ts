/** What answers teach in a content step: loading, installing, deleting over the security domain's secure channel. */
import { toHex } from '../../card/bytes.ts';
import { type Fate, leavesDoubt } from '../../dialects/fate.ts';
import type { AppState } from '../../protocol/wire.ts';
import {
  absorbCardState,
  absorbChannel,
  absorbDomain,
  absorbMissingKeys,
  absorbPutKeys,
  absorbShownData,
} from './absorb-domain.ts';
import { absorbClean, absorbInstall, absorbLoad, installed } from './absorb-load.ts';
import type { CardTypeFacts } from './app-work.ts';
import { withApp } from './card-state.ts';
import { absent, clearDoubt, notLoaded, withoutKeys } from './content-known.ts';
import { failApp, failStep, giveUpCleaning, type JobOnCard, progress, remember } from './progress.ts';
import type { Meaning, Sent } from './state.ts';

/** Meanings that only a content step has; every other kind leaves things as they are. */
export function absorbContent(
  now: JobOnCard,
  sent: Sent,
  meaning: Meaning,
  fate: Fate,
  facts: CardTypeFacts,
): JobOnCard {
  switch (meaning.kind) {
    case 'balance':
      return absorbBalance(now, meaning.app, fate);
    case 'probe':
      return absorbProbe(now, meaning.app, fate, facts);
    case 'gone':
      return absorbGone(now, meaning.app, fate);
    case 'initialize-update':
      return absorbInitializeUpdate(now, sent, meaning, fate);
    case 'channel':
      return absorbChannel(now, sent, meaning.finishes, fate);
    case 'put-keys':
      return absorbPutKeys(now, meaning, fate);
    case 'domain':
      return absorbDomain(now, meaning.finishes, fate);
    case 'card-state':
      return absorbCardState(now, meaning.finishes, fate);
    case 'leftover':
      return absorbLeftover(now, meaning.app, fate, isProven(sent, fate));
    case 'clean':
      return absorbClean(now, meaning, fate, isProven(sent, fate));
    case 'load':
      return absorbLoad(now, meaning, fate, isProven(sent, fate));
    case 'install':
      return absorbInstall(now, meaning, fate, facts, isProven(sent, fate));
    case 'delete':
      return absorbDelete(now, meaning, fate, isProven(sent, fate));
    default:
      return now;
  }
}

/**
 * The card's own MAC says so. Only 9000 has one in every protocol: SCP03 sends refusals without (Amendment D §6.2.5), so that a station can invent
 * one that a command accepts.
 */
function isProven(sent: Sent, fate: Fate): boolean {
  return sent.guarded && fate.kind === 'ok' && fate.answered && fate.sw === SUCCESS;
}

/** A purse that holds money, or will not say, is not deleted without a second person; the other wishes go on. */
function absorbBalance(now: JobOnCard, app: string, fate: Fate): JobOnCard {
  if (fate.kind !== 'refused') return now;
  return failApp(now, app, fate.sw === 0x9000 ? 'purse-not-empty' : 'balance-unreadable');
}

/**
 * SELECT before a load that may have happened already: 9000 means that the instance is there, so the load is not repeated. Keys that
 * the record has for it are then the card's; without any it is fresh. "Not there" lets the load begin, and is nothing more than a station's word:
 * what is known of the app stays until something removes it.
 */
function absorbProbe(now: JobOnCard, app: string, fate: Fate, facts: CardTypeFacts): JobOnCard {
  if (fate.kind !== 'ok' || !fate.answered) {
    return fate.kind === 'refused' ? failApp(now, app, 'card-refused-command') : now;
  }
  if (fate.sw !== SUCCESS) return progress(now, app, { contentInDoubt: false });
  const known = now.card.apps[app];
  if (known?.keys == null) return installed(now, app, known?.loadFileHash ?? null, facts, false);
  const there = (state: AppState) => (state === 'missing' ? 'installed' : state);
  const card = withApp(now.card, app, (one) => ({
    ...notLoaded(one),
    state: there(one.state),
    inDoubt: false,
  }));
  return progress({ ...now, card }, app, { after: 'installed', contentInDoubt: false });
}

/** SELECT of an app whose deletion is in doubt: the purse that still answers is looked at first. */
function absorbGone(now: JobOnCard, app: string, fate: Fate): JobOnCard {
  if (fate.kind !== 'refused') return now;
  if (fate.sw !== 0x9000) return failApp(now, app, 'card-refused-command');
  const there = (state: AppState) => (state === 'missing' ? 'installed' : state);
  const card = withApp(now.card, app, (known) => ({ ...known, state: there(known.state), inDoubt: false }));
  const { before = 'installed', after = 'installed' } = now.job.apps[app] ?? {};
  const seen = progress({ ...now, card }, app, {
    before: there(before),
    after: there(after),
    contentInDoubt: false,
  });
  // Nobody was asked about a purse that was not there to be seen.
  return Object.hasOwn(now.job.confirmedAmounts, app) ? seen : failApp(seen, app, 'confirmation-needed');
}

const NOT_FOUND = 0x6a88;

/**
 * A package that a torn load may have left, removed while a channel is open anyway. It never fails the job. A card that refuses for any other
 * reason than that nothing is there (it is in use, say) has not shown that nothing is left.
 */
function absorbLeftover(now: JobOnCard, app: string, fate: Fate, proven: boolean): JobOnCard {
  if (fate.kind === 'unsent' || fate.kind === 'unknown') return now;
  // A status word that was not foreseen stopped the batch; were the doubt kept, each batch would begin and end with it.
  if (fate.kind === 'refused') return clearDoubt(now, app);
  const isGone = !fate.answered || fate.sw === SUCCESS || fate.sw === NOT_FOUND;
  return isGone ? clearDoubt(absent(now, app, proven), app) : giveUpCleaning(now, app);
}

function absorbInitializeUpdate(
  now: JobOnCard,
  sent: Sent,
  { hostChallenge, foretold }: Extract<Meaning, { kind: 'initialize-update' }>,
  fate: Fate,
): JobOnCard {
  const shown = (data: Uint8Array) => ({
    channel: { step: sent.step, hostChallenge, response: toHex(data) },
  });
  if (fate.kind === 'refused')
    // Not what was foretold: what stood behind it was not sent, and this answer opens the channel instead.
    return foretold !== null && fate.sw === SUCCESS
      ? remember(notBegun(now, sent.step), shown(fate.data))
      : failStep(now, sent.step, 'card-refused-command');
  if (fate.kind !== 'ok' || !fate.answered) return now;
  if (foretold !== null)
    return absorbShownData(
      { ...now, job: { ...now.job, held: true } },
      toHex(fate.data.slice(0, DIVERSIFICATION_DATA)),
    );
  if (fate.sw !== SUCCESS) return absorbMissingKeys(now);
  return remember(now, shown(fate.data));
}

/** The beginnings that bound the retries were none. */
function notBegun(now: JobOnCard, at: number): JobOnCard {
  const step = now.job.steps[at];
  if (step?.kind === 'domain-keys') return { ...now, job: { ...now.job, domainMoves: 0 } };
  const loads = step?.kind === 'content' ? step.loads : [];
  return loads.reduce((job, app) => progress(job, app, { loads: 0 }), now);
}

const SUCCESS = 0x9000;
/** Bytes of it that an INITIALIZE UPDATE answer begins with. */
const DIVERSIFICATION_DATA = 10;

function absorbDelete(
  now: JobOnCard,
  { app, wasInDoubt }: Extract<Meaning, { kind: 'delete' }>,
  fate: Fate,
  proven: boolean,
): JobOnCard {
  switch (fate.kind) {
    case 'ok': {
      const card = withApp(now.card, app, (before) => ({
        ...withoutKeys(before, proven),
        loadFileHash: null,
        inDoubt: false,
      }));
      return progress({ ...now, card }, app, { after: 'missing', contentInDoubt: false, touched: true });
    }
    case 'refused': {
      const failed = leavesDoubt(fate.sw)
        ? progress(now, app, { contentInDoubt: true, touched: true })
        : clearDoubt(now, app);
      return failApp(failed, app, 'card-refused-command');
    }
    case 'unsent':
      // What was in doubt before stays so: nobody has asked the card.
      return wasInDoubt || now.job.apps[app]?.contentInDoubt === true ? now : clearDoubt(now, app);
    case 'unknown':
      return progress(now, app, { contentInDoubt: true, touched: true });
  }
}
