/** What answers teach: the job and the card after a batch, as values. Nothing is sent from here. */
import { toHex } from '../../card/bytes.ts';
import {
  disproven,
  macAccepted,
  proven,
  returnTry,
  writeDone,
  writeUndone,
} from '../../dialects/key-slots.ts';
import type { AnswersRequest } from '../../protocol/wire.ts';
import { absorbContent } from './absorb-content.ts';
import type { Fate } from './answers.ts';
import { type CardState, withApp, withSlot } from './card-state.ts';
import {
  type AbsorbRules,
  beginAgain,
  failApp,
  failJob,
  failStep,
  type JobOnCard,
  leavesDoubt,
  progress,
  remember,
  setAside,
  touch,
} from './progress.ts';
import type { JobState, Meaning, Sent } from './state.ts';

/** Takes in the report on the batch that is out, with what became of each command (`readFates`, `openAnswers`). */
export function absorb(
  job: JobState,
  card: CardState,
  report: Pick<AnswersRequest, 'cardEpoch' | 'cardEvent'>,
  fates: readonly Fate[],
  rules: AbsorbRules,
): JobOnCard {
  let now: JobOnCard = { job: { ...job, sent: [], trips: job.trips + 1 }, card };
  for (const [at, fate] of fates.entries()) {
    const sent = job.sent[at];
    if (sent !== undefined) now = absorbOne(now, sent, fate, rules);
  }
  if (fates.some((fate) => fate.kind === 'unknown' && fate.unproven === true))
    now = failJob(now, 'card-answer-unproven');
  // Another epoch is an event, whether the station names it or not: what is in the reader now may be another card.
  const event = report.cardEvent !== undefined || report.cardEpoch !== job.cardEpoch;
  const interrupted = event || fates.some((fate) => fate.kind !== 'ok');
  return interrupted ? { ...now, job: interrupt(now.job, report, event) } : now;
}

/**
 * After a stop nothing that was prepared holds, but for a channel whose opening was not as foretold: it stands open on the card. After
 * a card event the card must be found again.
 */
function interrupt(job: JobState, report: Pick<AnswersRequest, 'cardEpoch'>, event: boolean): JobState {
  return {
    ...job,
    scratch: event || job.scratch.channel === undefined ? {} : { channel: job.scratch.channel },
    cardEpoch: report.cardEpoch,
    identified: job.identified && !event,
  };
}

function absorbOne(now: JobOnCard, sent: Sent, fate: Fate, rules: AbsorbRules): JobOnCard {
  const meaning = sent.meaning;
  switch (meaning.kind) {
    case 'pass':
      return fate.kind === 'refused' ? failStep(now, sent.step, 'card-refused-command') : now;
    case 'identify':
      return absorbIdentify(now, fate);
    case 'select-app':
      return fate.kind === 'refused' ? failApp(now, meaning.app, 'card-refused-command') : now;
    case 'read-flag':
      return fate.kind === 'ok' && fate.answered
        ? absorbReadFlag(now, meaning.app, fate.data)
        : refusedFails(now, meaning.app, fate);
    case 'challenge':
      return absorbChallenge(now, sent, fate);
    case 'authenticate':
      return absorbAuthenticate(now, meaning, fate, rules);
    case 'write':
      return absorbWrite(now, meaning, fate);
    case 'flag':
      return absorbFlag(now, meaning.app, fate);
    default:
      return absorbContent(now, sent, meaning, fate, rules);
  }
}

function absorbIdentify(now: JobOnCard, fate: Fate): JobOnCard {
  if (fate.kind === 'ok') return { ...now, job: { ...now.job, identified: true } };
  return fate.kind === 'refused' ? { ...now, job: { ...now.job, error: 'other-card' } } : now;
}

/** The flag byte of the public file, read alone: 01 means enabled. */
function absorbReadFlag(now: JobOnCard, app: string, data: Uint8Array): JobOnCard {
  if (data[0] === 1) return enabled(now, app);
  return remember(progress(now, app, { flagInDoubt: false }), { flagRead: stepOf(now, app) });
}

function absorbChallenge(now: JobOnCard, sent: Sent, fate: Fate): JobOnCard {
  if (fate.kind === 'ok' && fate.answered) {
    return remember(now, { challenge: { step: sent.step, value: toHex(fate.data) } });
  }
  return fate.kind === 'refused' ? failStep(now, sent.step, 'card-refused-command') : now;
}

function absorbAuthenticate(
  now: JobOnCard,
  meaning: Extract<Meaning, { kind: 'authenticate' }>,
  fate: Fate,
  rules: AbsorbRules,
): JobOnCard {
  const { app, key } = meaning;
  if (fate.kind === 'ok') {
    const card = withSlot(now.card, app, 'mck', (slot) => proven(slot, key));
    return remember({ ...now, card }, { authenticated: stepOf(now, app) });
  }
  if (fate.kind === 'unsent') {
    // It never reached the card: the try that was counted before sending was not spent.
    return { ...now, card: withSlot(now.card, app, 'mck', returnTry) };
  }
  if (fate.kind === 'unknown') return now;
  if (fate.sw >> 4 === 0x63c) {
    const maximum = rules.maximumTries(app);
    const card = withSlot(now.card, app, 'mck', (slot) => disproven(slot, key, fate.sw & 0x0f, maximum));
    const refused = card.apps[app]?.keys?.mck.refused === true;
    return refused ? failApp({ ...now, card }, app, 'card-refused-key') : { ...now, card };
  }
  if (fate.sw === 0x6983 || fate.sw === 0x9303) return failApp(now, app, 'app-locked');
  if (fate.sw === 0x6283) return setAside(now, app, 'key-damaged');
  if (fate.sw === 0x6985) {
    // The challenge was gone: no try was spent. Begin the app again, a bounded number of times.
    return beginAgain({ ...now, card: withSlot(now.card, app, 'mck', returnTry) }, app);
  }
  return failApp(now, app, 'card-refused-command');
}

function absorbWrite(now: JobOnCard, meaning: Extract<Meaning, { kind: 'write' }>, fate: Fate): JobOnCard {
  const { app, slot, key, before } = meaning;
  switch (fate.kind) {
    case 'ok':
      return touch({ ...now, card: withSlot(now.card, app, slot, (state) => writeDone(state, key)) }, app);
    case 'unsent':
      return { ...now, card: withSlot(now.card, app, slot, (state) => writeUndone(state, before)) };
    case 'unknown':
      return touch(now, app);
    case 'refused':
      if (fate.sw === 0x6283) return setAside(now, app, 'new-key-damaged');
      if (leavesDoubt(fate.sw)) return failApp(touch(now, app), app, 'card-refused-command');
      return failApp(
        { ...now, card: withSlot(now.card, app, slot, (state) => writeUndone(state, before)) },
        app,
        fate.sw === 0x9303 ? 'app-locked' : 'card-refused-command',
      );
  }
}

function absorbFlag(now: JobOnCard, app: string, fate: Fate): JobOnCard {
  switch (fate.kind) {
    case 'ok':
      return enabled(touch(now, app), app);
    case 'unsent':
      return progress({ ...now, card: withSlot(now.card, app, 'mtk', returnTry) }, app, {
        flagInDoubt: false,
      });
    case 'unknown':
      return touch(now, app);
    case 'refused': {
      if (fate.sw === 0x9303) return failApp(now, app, 'app-locked');
      if (fate.sw === 0x6283) return setAside(now, app, 'maintenance-key-damaged');
      if (leavesDoubt(fate.sw)) return failApp(touch(now, app), app, 'card-refused-command');
      if (fate.sw === 0x9302 || fate.sw === 0x6988) return maintenanceKeyRefused(now, app);
      return failApp(
        { ...now, card: withSlot(now.card, app, 'mtk', returnTry) },
        app,
        'card-refused-command',
      );
    }
  }
}

/** Wrong MACs lock the application for good, and a rewritten key does not start their count again: write it once more, then stop. */
function maintenanceKeyRefused(now: JobOnCard, app: string): JobOnCard {
  const spent = now.card.apps[app]?.keys?.mtk.spent ?? 0;
  if (spent > 1) return setAside(now, app, 'maintenance-key-refused');
  const card = withSlot(now.card, app, 'mtk', (slot) => ({ ...slot, refused: true }));
  return beginAgain(progress({ ...now, card }, app, { flagInDoubt: false }), app);
}

/** The app is enabled: the card said so, last of all. The plan goes on behind it. */
function enabled(now: JobOnCard, app: string): JobOnCard {
  const card = withSlot(
    withApp(now.card, app, (before) => ({ ...before, state: 'enabled' })),
    app,
    'mtk',
    macAccepted,
  );
  const done = progress({ ...now, card }, app, { after: 'enabled', flagInDoubt: false });
  return { ...done, job: { ...done.job, at: Math.max(done.job.at, stepOf(now, app) + 1) } };
}

/** The plan step that enables `app`, or renews its keys. */
function stepOf(now: JobOnCard, app: string): number {
  return now.job.steps.findIndex((one) => 'app' in one && one.app === app);
}

function refusedFails(now: JobOnCard, app: string, fate: Fate): JobOnCard {
  return fate.kind === 'refused' ? failApp(now, app, 'card-refused-command') : now;
}
