/** The smallest station there can be: looks at a virtual card and carries batches to it. For tests of the server. */

import { randomBytes, randomUUID } from 'node:crypto';
import { aidBytes } from '../../app/card/aid.ts';
import { encodeCommand } from '../../app/card/apdu.ts';
import { fromHex, toHex } from '../../app/card/bytes.ts';
import { LOOK_TAGS, recognise } from '../../app/catalogue/recognise.ts';
import { hashToken } from '../../app/keyserver/access/sessions.ts';
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext, OperatorCaller, StationCaller } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import { addSession, insertOperator } from '../../app/keyserver/store/people.ts';
import type {
  AnswersRequest,
  Batch,
  CardFacts,
  ConfirmedDeletion,
  JobReply,
  JobRequest,
  ObservedApp,
  Outcome,
  Wish,
} from '../../app/protocol/wire.ts';
import type { CardDevice } from '../../app/simulator/device.ts';
import { holdToRules } from './honest-replies.ts';

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
    const said = app.purse ? await transmit(card, '805C000204') : '';
    const balance = /^[0-9A-F]{8}9000$/.test(said) ? { balance: Number.parseInt(said.slice(0, 8), 16) } : {};
    observed.push({ app: app.id, state: flag === '019000' ? 'enabled' : 'installed', ...balance });
  }
  return { facts: { atr: toHex(card.atr), ...facts }, observed };
}

export async function request(
  card: CardDevice,
  context: JobContext,
  account: string,
  wishes: Wish[],
  withOpening?: string,
  caller: StationCaller = CALLER,
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
    wishes: await confirmed(context, caller, facts, observed, wishes),
    ...(opening === undefined ? {} : { opening }),
  };
}

/** Deletions of purses with a second person's confirmation, unless they have one. */
async function confirmed(
  context: JobContext,
  { station }: StationCaller,
  facts: CardFacts,
  observed: readonly ObservedApp[],
  wishes: readonly Wish[],
): Promise<Wish[]> {
  const known = recognise(context.catalogue, facts);
  const needs = ({ app, action, confirmedBy }: Wish) =>
    action === 'delete' &&
    confirmedBy === undefined &&
    context.catalogue.apps.find(({ id }) => id === app)?.purse === true &&
    observed.some((one) => one.app === app && one.state !== 'missing');
  if (!known.known) return [...wishes];
  return Promise.all(
    wishes.map(async (wish) => {
      if (!needs(wish)) return wish;
      const balance = observed.find((one) => one.app === wish.app)?.balance ?? null;
      const confirms = { card: known.identification, app: wish.app, balance };
      return { ...wish, confirmedBy: await confirmationOf(context, station, confirms) };
    }),
  );
}

const SECOND = 'test-second';

/** A token as the second person gets one; without their secret, whose check takes its time. */
export async function confirmationOf(
  { store, now }: Pick<JobContext, 'store' | 'now'>,
  station: string,
  confirms: ConfirmedDeletion,
  operator = SECOND,
): Promise<string> {
  const second = {
    name: operator,
    role: 'supervisor',
    branch: null,
    secretHash: 'none',
    secretUntil: null,
  } as const;
  // Two tests may ask for the same one at once: whoever is there stays.
  await insertOperator(store, { id: operator, ...second });
  const token = randomBytes(32).toString('base64url');
  const expires = new Date(now().getTime() + 300_000).toISOString();
  await addSession(
    store,
    {
      token_hash: hashToken(token),
      operator,
      station,
      expires,
      purpose: 'confirmation',
      confirms: JSON.stringify(confirms),
    },
    now().toISOString(),
  );
  return token;
}

/** The same request as an impatient station would send it. */
export function unconfirmed(asked: JobRequest): JobRequest {
  return { ...asked, wishes: asked.wishes.map(({ app, action }) => ({ app, action })) };
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

/**
 * Carries a job to its end; the card is powered on again after each pull. With the request that began it the server's replies are held to the
 * station's rules.
 */
export async function carry(
  card: CardDevice,
  context: JobContext,
  reply: JobReply,
  caller: StationCaller = CALLER,
  asked?: JobRequest,
): Promise<Outcome> {
  const rules = asked === undefined ? undefined : holdToRules(context.catalogue, asked);
  rules?.reply(reply);
  if (reply.outcome !== undefined) return reply.outcome;
  let batch = reply.batch;
  while (batch !== undefined) {
    const report = await runBatch(card, batch);
    if (report.cardEvent !== undefined) card.powerOn();
    rules?.ran(batch, report);
    const next = await answerStep(context, caller, reply.job, batch.seq, report);
    rules?.reply(next);
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
  const asked = await request(card, context, account, wishes, withOpening, caller);
  return carry(card, context, await startJob(context, caller, asked), caller, asked);
}
