/** No card, and no reader that loses it, keeps a job going without end. */
import { describe, expect, it } from 'vitest';
import type { AnswersRequest, StepReply } from '../../support/jobs.ts';
import { batchOf, issuerRig, outcomeOf, randomDigits } from '../../support/jobs.ts';
import { ENABLE } from '../../support/visits.ts';

const rig = issuerRig();

describe('a job', () => {
  it('ends when the card, put in again, refuses what everything begins with', async () => {
    const told = await answered((step) => (step === 0 ? pulled(1) : refused), 5);
    expect(outcomeOf(told.reply)).toMatchObject({ result: 'refused', error: 'card-refused-command' });
    expect(told.steps).toBe(2);
  });

  it('ends when the card is pulled out at every step', async () => {
    const told = await answered((step) => pulled(step + 1), 400);
    expect(outcomeOf(told.reply)).toMatchObject({ result: 'refused', error: 'too-many-attempts' });
    expect(told.steps).toBeLessThan(250);
  });
});

const pulled = (cardEpoch: number): AnswersRequest => ({
  apiLevel: 1,
  cardEpoch,
  answers: [],
  stoppedAt: 0,
  reached: false,
  cardEvent: 'removed',
});

const refused: AnswersRequest = { apiLevel: 1, cardEpoch: 1, answers: ['6A82'], stoppedAt: 0 };

/** Answers a job's batches with `report`, until it ends or `most` are answered. */
async function answered(report: (step: number) => AnswersRequest, most: number) {
  const { card } = rig.newCard();
  const started = await rig.start(await rig.request(card, randomDigits(16), ENABLE));
  let reply: StepReply = { apiLevel: 1, batch: batchOf(started) };
  let steps = 0;
  for (; steps < most && 'batch' in reply && reply.batch !== undefined; steps += 1)
    reply = await rig.answer(started.job, reply.batch.seq, report(steps));
  return { reply, steps };
}
