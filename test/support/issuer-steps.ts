/** Small steps of jobs against the server's inside, for tests that stop, repeat and reorder them. */
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext, StationCaller } from '../../app/keyserver/jobs/context.ts';
import { KaikaError } from '../../app/protocol/errors.ts';
import type { AnswersRequest, Batch, JobReply, Outcome, StepReply } from '../../app/protocol/wire.ts';
import type { CardDevice } from '../../app/simulator/device.ts';
import type { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { CALLER, runBatch } from './forwarder.ts';

/** Every row of every table, as text: equal before and after means that nothing was changed. */
export async function storeText(context: JobContext): Promise<string> {
  const tables = [
    'cards',
    'card_apps',
    'card_keys',
    'jobs',
    'job_steps',
    'job_commands',
    'late_answers',
    'leases',
    'sessions',
  ] as const;
  const rows = [];
  for (const table of tables) rows.push([table, await context.store.selectFrom(table).selectAll().execute()]);
  return JSON.stringify(rows);
}

/** Code and details of what a request was refused with; fails when it was not. */
export async function refusal(request: Promise<unknown>): Promise<{ code: string; details: object }> {
  try {
    await request;
  } catch (error) {
    if (error instanceof KaikaError) return { code: error.code, details: error.details };
    throw error;
  }
  throw new Error('not refused');
}

export function batchOf(reply: JobReply | StepReply): Batch {
  if ('batch' in reply && reply.batch !== undefined) return reply.batch;
  throw new Error('no batch');
}

export function outcomeOf(reply: JobReply | StepReply): Outcome {
  if ('outcome' in reply && reply.outcome !== undefined) return reply.outcome;
  throw new Error('no outcome');
}

/** Runs and answers `steps` batches of a job; gives the reply to the last, or undefined when it ended before. */
export async function advance(
  card: CardDevice,
  context: JobContext,
  started: JobReply,
  steps: number,
  caller: StationCaller = CALLER,
): Promise<Batch | undefined> {
  let batch: Batch | undefined = started.batch;
  for (let step = 0; step < steps && batch !== undefined; step += 1) {
    const report: AnswersRequest = await runBatch(card, batch);
    const reply: StepReply = await answerStep(context, caller, started.job, batch.seq, report);
    batch = 'batch' in reply ? reply.batch : undefined;
  }
  return batch;
}

/** A key slot of an app as the card itself has it. */
export function slotOnCard(card: VirtualCard, aid: string, type: 0x39 | 0x36) {
  const applet = card.image.instances.find((one) => one.aid === aid)?.applet;
  const slot = applet?.kind === 'fmcos' ? applet.keys.find((key) => key.type === type) : undefined;
  if (slot === undefined) throw new Error('the card has no such key');
  return slot;
}

/** Tries left of the app's master control key, from the card itself. */
export function triesLeft(card: VirtualCard, aid = WALLET): number {
  return slotOnCard(card, aid, 0x39).counter & 0x0f;
}

export const WALLET = 'F04B41494B41010001';
export const CAMPUS_MEAL = 'F04B41494B41030001';

/** A card like `card` on which one key is another one. */
export function withWrongKey(card: VirtualCard, aid: string, type: 0x39 | 0x36) {
  const image = card.image;
  const applet = image.instances.find((one) => one.aid === aid)?.applet;
  const slot = applet?.kind === 'fmcos' ? applet.keys.find((key) => key.type === type) : undefined;
  if (slot === undefined) throw new Error('the card has no such key');
  slot.value = '0123456789ABCDEF'.repeat(2);
  return image;
}
