/** Jobs that a station invents of cards it does not have. */
import { type AnswersRequest, answerStep, type Batch, type JobContext, type JobReply } from './jobs.ts';

/** A station of an attacker's, and who is signed in there. */
export const ROGUE = { station: 'rogue-station', operator: 'rogue-clerk' };

/** What an obliging card would say to each command. */
export function invented({ cardEpoch, commands }: Batch, challenge: string): AnswersRequest {
  const answers = commands.map(({ label, expect: wanted }) =>
    label.step === 'challenge' ? `${challenge}9000` : `${wanted?.value ?? ''}9000`,
  );
  return { apiLevel: 1, cardEpoch, answers };
}

/** To the end, or to a batch with `last` in it: the card is said to have been removed at it, or the batch is given back unanswered. */
export async function carryInvented(
  context: JobContext,
  { job, batch: first }: JobReply,
  last?: string,
  how: 'at' | 'before' = 'at',
): Promise<Batch | undefined> {
  let batch = first;
  for (let step = 1; batch !== undefined; step += 1) {
    const report = invented(batch, `0000000${step}`.slice(-8));
    const place = batch.commands.findIndex(({ label }) => label.step === last);
    if (place >= 0 && how === 'before') return batch;
    if (place >= 0) {
      const cut = { ...report, answers: report.answers.slice(0, place), stoppedAt: place };
      const { cardEpoch } = batch;
      await answerStep(context, ROGUE, job, batch.seq, {
        ...cut,
        cardEvent: 'removed',
        cardEpoch: cardEpoch + 1,
      });
      return undefined;
    }
    const next = await answerStep(context, ROGUE, job, batch.seq, report);
    batch = 'batch' in next ? next.batch : undefined;
  }
  return undefined;
}
