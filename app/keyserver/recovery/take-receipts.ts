/**
 * POST /v1/receipts: what stations were told before a backup was restored goes back into the record. A receipt is older than
 * anything that happened to its card since the restore, and then only adds its job to the record; otherwise it is the newest that is known of
 * the card. Either way the server believes nothing but what it sealed itself.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { ReceiptsReply } from '../../protocol/receipts.ts';
import { API_LEVEL, type StepName } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import type { CardState } from '../issuer/card-state.ts';
import type { JobContext, StationCaller } from '../jobs/context.ts';
import { findCard, type Queries, readCardState, writeCardState } from '../store/cards.ts';
import { addCount, periodOf } from '../store/counters.ts';
import {
  findCardOfAccount,
  findJob,
  findJobByRequest,
  findLease,
  insertCommands,
  releaseCard,
  supersedeOpenJobs,
} from '../store/jobs.ts';
import type { CardsTable, JobsTable } from '../store/tables.ts';
import { inTransaction } from '../store/transaction.ts';
import { Overtaken, untilNotOvertaken } from '../store/turns.ts';
import { openReceipt, type ReceiptContent } from './receipt.ts';
import { rescued, type TouchedSince } from './rescue.ts';

type Found = 'taken' | 'known' | 'refused';

/** @throws KaikaError `too-many-attempts`; VaultError when the HSM is away: what was taken so far stays, and all may be sent again */
export async function takeReceipts(
  context: JobContext,
  caller: StationCaller,
  receipts: readonly string[],
): Promise<ReceiptsReply> {
  await countReceipts(context, caller, receipts.length);
  const count: Record<Found, number> = { taken: 0, known: 0, refused: 0 };
  for (const receipt of receipts) count[await takeOne(context, caller, receipt)] += 1;
  return { apiLevel: API_LEVEL, ...count };
}

/** Each costs a call to the HSM, so a station may not send them without end. */
async function countReceipts(context: JobContext, { station }: StationCaller, by: number): Promise<void> {
  const now = context.now();
  const counted = { scope: 'receipts-per-station-hour', subject: station, period: periodOf(now, 'hour') };
  const sent = await context.store.transaction().execute((db) => addCount(db, counted, by));
  if (sent > context.limits.receiptsPerStationHour)
    throw new KaikaError('too-many-attempts', 'this station has sent as many receipts as it may');
}

async function takeOne(context: JobContext, caller: StationCaller, receipt: string): Promise<Found> {
  const content = await openReceipt(context.vault, receipt);
  // Each station answers for its own: another one's is none of its business.
  if (content === undefined || content.job.station !== caller.station) return 'refused';
  return untilNotOvertaken(() =>
    inTransaction(
      context.store,
      (db) => take(db, context, content),
      () => new Overtaken(),
    ),
  );
}

async function take(db: Queries, context: JobContext, content: ReceiptContent): Promise<Found> {
  const now = context.now();
  const row = await holdCard(db, content);
  const job = await findJob(db, content.job.id);
  const sameRequest = job ?? (await findJobByRequest(db, content.job.requestId));
  if (sameRequest !== undefined && sameRequest.id !== content.job.id) return 'refused';
  const newest = isNewest(content, row, job);
  if (newest) await restoreCard(db, content, row, now);
  const news = job === undefined || isFurther(content, job);
  if (news) await writeJob(db, content, job, now);
  const helped = !newest && (await rescueCard(db, content, row, now));
  if (!newest && !news && !helped) return 'known';
  const { id, station, operator } = content.job;
  const detail = { generation: content.generation, card: newest ? 'restored' : helped ? 'helped' : 'kept' };
  await writeAudit(db, { kind: 'receipt', card: row.id, job: id, station, operator, detail }, now);
  return 'taken';
}

/** Writes the card's row before anything is read, as every transaction of a job does. A card that is not there begins as never worked on. */
async function holdCard(db: Queries, { card }: ReceiptContent): Promise<CardsTable> {
  await db
    .insertInto('cards')
    .values({
      id: card.id,
      card_type: card.type,
      account: null,
      account_factor: null,
      generation: 0,
      set_aside: null,
      first_seen: card.firstSeen,
      store_generation: '0',
    })
    .onConflict((conflict) => conflict.column('id').doUpdateSet((set) => ({ id: set.ref('excluded.id') })))
    .execute();
  const row = await findCard(db, card.id);
  if (row === undefined) throw new Error('the card was not written');
  return row;
}

/** Generations of the store follow each other in time; within one, those of the card; within a job, its steps. */
function isNewest(content: ReceiptContent, row: CardsTable, job: JobsTable | undefined): boolean {
  const stored = Number(row.store_generation);
  if (content.storeGeneration !== stored) return content.storeGeneration > stored;
  if (content.generation !== row.generation) return content.generation > row.generation;
  return job !== undefined && isFurther(content, job);
}

function isFurther({ job: { seq, outcome } }: ReceiptContent, job: JobsTable): boolean {
  return job.outcome === null && (seq > job.seq || outcome !== null);
}

async function restoreCard(db: Queries, content: ReceiptContent, row: CardsTable, now: Date): Promise<void> {
  const { card, state } = content;
  const at = now.toISOString();
  await supersedeOpenJobs(db, card.id, at);
  await releaseCard(db, card.id);
  const factor = row.account === null ? card.accountFactor : null;
  const other = factor === null ? undefined : await findCardOfAccount(db, factor);
  const taken = other !== undefined && other !== card.id;
  await db
    .updateTable('cards')
    .set({
      generation: content.generation,
      store_generation: String(content.storeGeneration),
      ...(factor === null || taken ? {} : { account: card.account, account_factor: factor }),
      // Both cards have the account's keys now: people have to decide.
      set_aside: taken ? 'its account was given to another card after a backup was restored' : card.setAside,
    })
    .where('id', '=', card.id)
    .execute();
  const before = await readCardState(db, card.id);
  await writeCardState(db, card.id, before, state, at, (app) => content.enabledIn[app] ?? null);
}

/** The job as it then was; one without an end is over, because its card goes on from what is known of it now. */
async function writeJob(
  db: Queries,
  content: ReceiptContent,
  known: JobsTable | undefined,
  now: Date,
): Promise<void> {
  const { job, card, generation } = content;
  const end = {
    seq: job.seq,
    ended: job.ended ?? now.toISOString(),
    result: job.outcome?.result ?? ('superseded' as const),
    outcome: job.outcome === null ? null : JSON.stringify(job.outcome),
    state: JSON.stringify(job.state),
  };
  if (known === undefined) {
    await db
      .insertInto('jobs')
      .values({
        id: job.id,
        request_id: job.requestId,
        request_hash: job.requestHash,
        station: job.station,
        operator: job.operator,
        reader: job.reader,
        card: card.id,
        account: job.account,
        generation,
        started: job.started,
        ...end,
      })
      .execute();
  } else await db.updateTable('jobs').set(end).where('id', '=', job.id).execute();
  const answered = await db
    .selectFrom('job_commands')
    .select((max) => max.fn.max('seq').as('seq'))
    .where('job', '=', job.id)
    .executeTakeFirst();
  await insertCommands(db, commandRows(content, answered?.seq ?? 0));
}

function commandRows({ job, commands }: ReceiptContent, after: number) {
  let position = 0;
  let at = 0;
  return commands.flatMap(([seq, step, app, sw, count, hash]) =>
    Array.from({ length: count }, () => {
      if (seq !== at) position = 0;
      at = seq;
      const row = { job: job.id, seq, position, step, app, sw, load_file_hash: hash };
      position += 1;
      return row;
    }).filter((row) => row.seq > after),
  );
}

/**
 * A card that came before its receipt: the receipt says which keys it really has, as far as no job since has been let in with others.
 * @throws KaikaError `server-busy` while a station has the card in hand
 */
async function rescueCard(
  db: Queries,
  content: ReceiptContent,
  row: CardsTable,
  now: Date,
): Promise<boolean> {
  if (content.storeGeneration >= Number(row.store_generation)) return false;
  const before: CardState = await readCardState(db, row.id);
  const after = rescued(before, content.state, await touchedSince(db, content));
  if (after === before) return false;
  const at = now.toISOString();
  const lease = await findLease(db, row.id);
  if (lease !== undefined && lease.expires > at)
    throw new KaikaError('server-busy', 'a station has the card of a receipt in hand');
  // A station that is lost knew less of the card than the receipt does.
  if (lease !== undefined) {
    await supersedeOpenJobs(db, row.id, at);
    await releaseCard(db, row.id);
  }
  await writeCardState(db, row.id, before, after, at);
  const helped = Object.keys(after.apps).filter((app) => after.apps[app] !== before.apps[app]);
  for (const app of helped)
    await db
      .updateTable('card_apps')
      .set({ issued_in: content.enabledIn[app] ?? null })
      .where('card', '=', row.id)
      .where('app', '=', app)
      .where('state', '=', 'enabled')
      .where('issued_in', 'is', null)
      .execute();
  return true;
}

const LETS_IN: readonly StepName[] = ['authenticate', 'install-app', 'delete-app'];
/** Status words behind which the card may have done it. */
const MAY_BE_DONE = ['9000', 'none', 'lost', 'unproven'];

/** What jobs of this card that began after the receipt's may have been let into by the card. */
async function touchedSince(db: Queries, { card, job }: ReceiptContent): Promise<TouchedSince> {
  const rows = await db
    .selectFrom('job_commands')
    .innerJoin('jobs', 'jobs.id', 'job_commands.job')
    .select(['job_commands.step as step', 'job_commands.app as app'])
    .where('jobs.card', '=', card.id)
    .where('jobs.id', '!=', job.id)
    .where('jobs.started', '>', job.started)
    .where('job_commands.step', 'in', [...LETS_IN, 'authenticate-secure-channel'])
    .where('job_commands.sw', 'in', MAY_BE_DONE)
    .execute();
  return {
    apps: new Set(rows.flatMap(({ app }) => app ?? [])),
    domain: rows.some(({ step }) => step === 'authenticate-secure-channel'),
  };
}
