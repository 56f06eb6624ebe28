/** Jobs that an older version of this program began or ended are gone on with, answered and told as if this one had. */
import { expect, it } from 'vitest';
import { findJob, readState } from '../../../app/keyserver/store/jobs.ts';
import type { AnswersRequest, Outcome, Wish } from '../../support/jobs.ts';
import { answerStep, issuerRig, outcomeOf, randomDigits } from '../../support/jobs.ts';
import { olderJobState, olderOutcome } from '../../support/older-forms.ts';
import { advance, CALLER, ENABLE, runBatch } from '../../support/visits.ts';

const rig = issuerRig();

it.each([0, 1, 2, 3])(
  'a running one, cut off behind step %i, goes on and costs no wrong try',
  async (steps) => {
    const { card, identification, reply } = await begin();
    let batch = await advance(card, rig.context, reply, steps);
    const older = olderJobState(readState(await rowOf(reply.job)));
    expect(older.sent.some(({ meaning }) => 'app' in meaning)).toBe(true);
    await change(reply.job, { state: JSON.stringify(older) });
    let outcome: Outcome | undefined;
    while (batch !== undefined) {
      const next = await answerStep(rig.context, CALLER, reply.job, batch.seq, await runBatch(card, batch));
      batch = 'batch' in next ? next.batch : undefined;
      outcome = 'outcome' in next ? next.outcome : undefined;
    }
    expect(outcome).toMatchObject({ result: 'complete', apps: [{ keyVersions: { mck: 1, mtk: 1 } }] });
    const { jobs } = await rig.record(identification);
    expect(jobs.flatMap((one) => one.steps).filter(({ sw }) => sw.startsWith('63C'))).toEqual([]);
  },
);

it('the last report of an ended one, sent again, gets the outcome in the new form; and so has the record', async () => {
  const { card, identification, reply } = await begin();
  let batch = reply.batch;
  let last: { seq: number; report: AnswersRequest } | undefined;
  while (batch !== undefined) {
    last = { seq: batch.seq, report: await runBatch(card, batch) };
    const next = await answerStep(rig.context, CALLER, reply.job, last.seq, last.report);
    batch = 'batch' in next ? next.batch : undefined;
  }
  if (last === undefined) throw new Error('the job sent nothing');
  const { seq, report } = last;
  const again = async () => outcomeOf(await answerStep(rig.context, CALLER, reply.job, seq, report));
  const told = await again();
  const record = await rig.record(identification);
  await change(reply.job, { outcome: JSON.stringify(olderOutcome(told)) });
  expect(await again()).toEqual(told);
  expect(await rig.record(identification)).toEqual(record);
});

async function begin(wishes: Wish[] = ENABLE) {
  const { card, identification } = rig.newCard();
  const asked = await rig.request(card, randomDigits(16), wishes, wishes[0]?.app);
  return { card, identification, reply: await rig.start(asked) };
}

async function rowOf(job: string) {
  const row = await findJob(rig.context.store, job);
  if (row === undefined) throw new Error('no such job');
  return row;
}

const change = (job: string, columns: { state?: string; outcome?: string }) =>
  rig.context.store.updateTable('jobs').set(columns).where('id', '=', job).execute();
