/** What answers teach: the job and the card after a batch, as values. Nothing is sent from here. */
import type { Fate } from '../../dialects/fate.ts';
import type { AnswersRequest } from '../../protocol/wire.ts';
import { absorbApp } from './absorb-app.ts';
import { absorbContent } from './absorb-content.ts';
import type { CardTypeFacts } from './app-work.ts';
import type { CardState } from './card-state.ts';
import { MOST_UNSHOWN } from './heads.ts';
import { absorbLook } from './look.ts';
import { failJob, failStep, type JobOnCard } from './progress.ts';
import type { JobState, Sent } from './state.ts';

/** Takes in the report on the batch that is out, with what became of each command (`readFates`, `openAnswers`). */
export function absorb(
  job: JobState,
  card: CardState,
  report: Pick<AnswersRequest, 'cardEpoch' | 'cardEvent'>,
  fates: readonly Fate[],
  facts: CardTypeFacts,
): JobOnCard {
  let now: JobOnCard = { job: { ...job, sent: [], trips: job.trips + 1 }, card };
  for (const [at, fate] of fates.entries()) {
    const sent = job.sent[at];
    if (sent !== undefined) now = absorbOne(now, sent, fate, facts);
  }
  // Asked for nothing else, and not even sent: whoever has the card does not let it show itself.
  if (!now.job.held && job.sent.every(isPresence) && fates.every(({ kind }) => kind === 'unsent'))
    now = { ...now, job: { ...now.job, unshown: now.job.unshown + 1 } };
  // A card that does not show itself fails nothing: what its station tells then stays what it is, a claim.
  const unproven = fates.some(
    (fate, at) => fate.kind === 'unknown' && fate.unproven === true && !isPresence(job.sent[at]),
  );
  if (unproven) now = failJob(now, 'card-answer-unproven');
  // Another epoch is an event, whether the station names it or not: what is in the reader now may be another card.
  const event = report.cardEvent !== undefined || report.cardEpoch !== job.cardEpoch;
  const interrupted = event || fates.some((fate, at) => fate.kind !== 'ok' && !isPresence(job.sent[at]));
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

function absorbOne(now: JobOnCard, sent: Sent, fate: Fate, facts: CardTypeFacts): JobOnCard {
  const meaning = sent.meaning;
  switch (meaning.kind) {
    case 'pass':
      return fate.kind === 'refused' ? failStep(now, sent.step, 'card-refused-command') : now;
    case 'identify':
      return absorbIdentify(now, fate);
    case 'presence':
      return absorbPresence(now, meaning.hostChallenge !== null, fate);
    case 'look':
      return absorbLook(now, sent, meaning, fate, facts);
    case 'app':
      return absorbApp(now, sent, meaning.means, fate, facts);
    default:
      return absorbContent(now, sent, meaning, fate, facts);
  }
}

const isPresence = (sent: Sent | undefined) => sent?.meaning.kind === 'presence';

/** The cryptogram has been judged before. */
function absorbPresence(now: JobOnCard, shows: boolean, fate: Fate): JobOnCard {
  const { job } = now;
  if (fate.kind === 'unsent' || (!shows && fate.kind !== 'refused')) return now;
  if (fate.kind === 'ok' && fate.answered) return { ...now, job: { ...job, held: true } };
  // Another card's cryptogram, or none, stays what it is. A card that was pulled is asked once more.
  const wrong = fate.kind === 'refused' || (fate.kind === 'unknown' && fate.unproven === true);
  return { ...now, job: { ...job, unshown: job.unshown + (wrong ? MOST_UNSHOWN : 1) } };
}

function absorbIdentify(now: JobOnCard, fate: Fate): JobOnCard {
  if (fate.kind === 'ok') return { ...now, job: { ...now.job, identified: true } };
  return fate.kind === 'refused' ? { ...now, job: { ...now.job, error: 'other-card' } } : now;
}
