/** The smallest station there can be: looks at a virtual card and carries batches to it. For tests of the server. */

import { randomUUID } from 'node:crypto';
import { aidBytes } from '../../app/card/aid.ts';
import { encodeCommand } from '../../app/card/apdu.ts';
import { fromHex, toHex } from '../../app/card/bytes.ts';
import { LOOK_TAGS } from '../../app/catalogue/recognise.ts';
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext, OperatorCaller, StationCaller } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import type {
  AnswersRequest,
  Batch,
  CardFacts,
  JobReply,
  JobRequest,
  ObservedApp,
  Outcome,
  Wish,
} from '../../app/protocol/wire.ts';
import type { CardDevice } from '../../app/simulator/device.ts';

export const CALLER = { station: 'test-station', operator: 'test-clerk' };

export const OTHER_CALLER = { station: 'other-station', operator: 'other-clerk' };

/** The wish for these apps, and the one that most tests have. */
export const enable = (...apps: string[]): Wish[] => apps.map((app) => ({ app, action: 'enable' }));
export const ENABLE: Wish[] = enable('e-wallet');

export async function transmit(card: CardDevice, apdu: string): Promise<string> {
  return toHex(await card.transmit(fromHex(apdu)));
}

export async function look(
  card: CardDevice,
  context: JobContext,
): Promise<{ facts: CardFacts; observed: ObservedApp[] }> {
  await transmit(card, '00A4040000');
  const facts: Record<string, string> = {};
  for (const [name, tag] of Object.entries(LOOK_TAGS)) {
    const answer = await transmit(card, `80CA${tag.toString(16).padStart(4, '0').toUpperCase()}00`);
    if (answer.endsWith('9000')) facts[name] = answer.slice(0, -4);
  }
  const observed: ObservedApp[] = [];
  for (const app of context.catalogue.apps) {
    const select = await card.transmit(
      encodeCommand({ cla: 0, ins: 0xa4, p1: 4, p2: 0, data: aidBytes(app.instanceAid), le: 256 }),
    );
    if (!toHex(select).endsWith('9000')) {
      observed.push({ app: app.id, state: 'missing' });
      continue;
    }
    const flag = await transmit(card, '00B0950801');
    observed.push({ app: app.id, state: flag === '019000' ? 'enabled' : 'installed' });
  }
  return { facts: { atr: toHex(card.atr), ...facts }, observed };
}

export async function request(
  card: CardDevice,
  context: JobContext,
  account: string,
  wishes: Wish[],
  withOpening?: string,
): Promise<JobRequest> {
  const { facts, observed } = await look(card, context);
  const opening = withOpening === undefined ? undefined : await open(card, context, withOpening);
  return {
    apiLevel: 1,
    requestId: randomUUID(),
    reader: 'virtual',
    cardEpoch: 0,
    card: facts,
    observed,
    account,
    wishes,
    ...(opening === undefined ? {} : { opening }),
  };
}

async function open(card: CardDevice, context: JobContext, app: string) {
  const aid = context.catalogue.apps.find((one) => one.id === app)?.instanceAid ?? '';
  const select = await transmit(card, `00A40400${(aid.length / 2).toString(16).padStart(2, '0')}${aid}00`);
  return { app, select, challenge: await transmit(card, '0084000004') };
}

function isExpected(data: Uint8Array, { value, mask }: { value: string; mask: string }): boolean {
  const wanted = fromHex(value);
  if (data.length < wanted.length) return false;
  return fromHex(mask).every((bits, i) => (((data[i] ?? 0) ^ (wanted[i] ?? 0)) & bits) === 0);
}

/** Runs a batch; the report of what became of it. `PowerLost` counts as the card pulled out, and ends it. */
export async function runBatch(card: CardDevice, batch: Batch): Promise<AnswersRequest> {
  const answers: string[] = [];
  for (const [at, command] of batch.commands.entries()) {
    let answer: string;
    try {
      answer = await transmit(card, command.apdu);
    } catch {
      return {
        apiLevel: 1,
        cardEpoch: batch.cardEpoch + 1,
        answers,
        stoppedAt: at,
        reached: true,
        cardEvent: 'removed',
      };
    }
    answers.push(answer);
    const sw = answer.slice(-4);
    const data = answer.slice(0, -4);
    const accepted = command.accept.some((prefix) => sw.startsWith(prefix));
    const expected = command.expect === undefined || isExpected(fromHex(data), command.expect);
    if (!accepted || !expected) return { apiLevel: 1, cardEpoch: batch.cardEpoch, answers, stoppedAt: at };
  }
  return { apiLevel: 1, cardEpoch: batch.cardEpoch, answers };
}

/** Carries a job to its end; the card is powered on again after each pull. */
export async function carry(
  card: CardDevice,
  context: JobContext,
  reply: JobReply,
  caller: StationCaller = CALLER,
): Promise<Outcome> {
  if (reply.outcome !== undefined) return reply.outcome;
  let batch = reply.batch;
  while (batch !== undefined) {
    const report = await runBatch(card, batch);
    if (report.cardEvent !== undefined) card.powerOn();
    const next = await answerStep(context, caller, reply.job, batch.seq, report);
    if ('outcome' in next) return next.outcome;
    batch = next.batch;
  }
  throw new Error('a reply with neither batch nor outcome');
}

export async function issue(
  card: CardDevice,
  context: JobContext,
  account: string,
  wishes: Wish[],
  withOpening?: string,
  caller: OperatorCaller = CALLER,
): Promise<Outcome> {
  const reply = await startJob(context, caller, await request(card, context, account, wishes, withOpening));
  return carry(card, context, reply, caller);
}
