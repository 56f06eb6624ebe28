/** The one transaction of each step: what could be true afterwards is on disk before the reply leaves. */
import type { Fate } from '../../dialects/fate.ts';
import { appKeyPurpose } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { JobRequest, Outcome } from '../../protocol/wire.ts';
import type { CardState } from '../issuer/card-state.ts';
import type { JobOnCard } from '../issuer/progress.ts';
import type { JobState, Sent } from '../issuer/state.ts';
import { rowsOf } from '../recovery/write-receipt.ts';
import { type Queries, readCardState, writeCardState } from '../store/cards.ts';
import {
  endLease,
  findCardOfAccount,
  findLatestJobs,
  holdLease,
  insertCommands,
  readState,
  releaseCard,
  supersedeOpenJobs,
  writeStep,
} from '../store/jobs.ts';
import type { CardsTable, JobsTable } from '../store/tables.ts';
import { inTransaction } from '../store/transaction.ts';
import { Overtaken } from '../store/turns.ts';
import { countUse, type Use } from './caps.ts';
import type { JobContext, OperatorCaller } from './context.ts';

export interface StartCommit {
  readonly caller: OperatorCaller;
  readonly request: JobRequest;
  readonly hash: string;
  readonly job: string;
  readonly generation: number;
  /** The card's row and state as they were when it was decided; undefined for a card never seen. */
  readonly row: CardsTable | undefined;
  readonly before: CardState;
  readonly next: JobOnCard;
  readonly outcome: Outcome | undefined;
  readonly sealed: string;
  readonly cardType: string;
  /** The batch changes the card: from now on it belongs to the account. */
  readonly effect: boolean;
  /** What it uses up of the caps. */
  readonly use: Use;
  /** When it was decided, and so is on record to have happened. */
  readonly at: string;
}

/** @throws KaikaError `account-taken`, `card-in-use`; Overtaken */
export async function commitStart(context: JobContext, start: StartCommit): Promise<void> {
  const now = start.at;
  const { next, request, caller } = start;
  const card = next.job.identification;
  await inTransaction(
    context.store,
    async (db) => {
      // A write first: from here on the card's rows are ours, and what is read is the newest.
      await raiseGeneration(db, start, now, String(context.storeGeneration));
      await requireUnchanged(db, card, start.before);
      await requireNewRequest(db, request.requestId);
      if (start.effect) await bindAccount(db, card, next.job.account, next.job.accountFactor);
      await supersedeOpenJobs(db, card, now);
      const issuedIn = await whoEnabled(db, card, start.before, next.card);
      await db
        .insertInto('jobs')
        .values({
          id: start.job,
          request_id: request.requestId,
          request_hash: start.hash,
          station: caller.station,
          operator: caller.operator,
          reader: request.reader,
          card,
          account: request.account,
          generation: start.generation,
          seq: start.outcome === undefined ? 1 : 0,
          state: JSON.stringify(next.job),
          started: now,
          ended: start.outcome === undefined ? null : now,
          result: start.outcome?.result ?? null,
          outcome: start.outcome === undefined ? null : JSON.stringify(start.outcome),
        })
        .execute();
      await refuseRetired(db, next.job);
      await writeStep(db, {
        job: start.job,
        seq: 0,
        request_hash: start.hash,
        sealed: start.sealed,
        created: now,
        receipt: null,
      });
      await writeCardState(db, card, start.before, next.card, now, issuedIn);
      if (start.outcome === undefined) {
        await holdLease(db, {
          card,
          job: start.job,
          station: caller.station,
          operator: caller.operator,
          reader: request.reader,
          since: now,
          expires: leaseEnd(context),
        });
      } else {
        // Whoever had the card lost it to this job, and this job is over.
        await releaseCard(db, card);
      }
      await countUse(db, context, start.use);
    },
    () => new Overtaken(),
  );
}

/** An app that the look found enabled, and the record did not, was enabled by the last job that set out to. */
async function whoEnabled(db: Queries, card: string, before: CardState, after: CardState) {
  const found = Object.keys(after.apps).filter(
    (app) => after.apps[app]?.state === 'enabled' && before.apps[app]?.state !== 'enabled',
  );
  const jobs = found.length === 0 ? [] : await findLatestJobs(db, card, RECENT_JOBS);
  return (app: string) => jobs.find((job) => readState(job).apps[app]?.action === 'enable')?.id ?? null;
}

const RECENT_JOBS = 5;

/** A step of the job that held the card may have been committed since its state was read. */
async function requireUnchanged(db: Queries, card: string, before: CardState): Promise<void> {
  const current = await readCardState(db, card);
  if (JSON.stringify(current) !== JSON.stringify(before)) throw new Overtaken();
}

/**
 * A version that was active when the job was decided may have been retired since. Asked behind the row in `jobs`, which retiring waits for:
 * whichever of the two is second sees the other.
 */
async function refuseRetired(db: Queries, { profile, targets, domainTarget }: JobState): Promise<void> {
  const wanted = [
    ...Object.entries(targets).flatMap(([app, keys]) =>
      Object.entries(keys).map(([role, { version }]) => ({ purpose: appKeyPurpose(app, role), version })),
    ),
    ...(domainTarget === null ? [] : [{ purpose: `isd/${profile}/enc`, version: domainTarget.version }]),
  ];
  if (wanted.length === 0) return;
  const retired = await db
    .selectFrom('key_versions')
    .select(['purpose', 'version'])
    .where('state', '=', 'retired')
    .where(
      'purpose',
      'in',
      wanted.map(({ purpose }) => purpose),
    )
    .execute();
  const gone = wanted.some((key) =>
    retired.some(({ purpose, version }) => purpose === key.purpose && version === key.version),
  );
  if (gone) throw new Overtaken();
}

async function requireNewRequest(db: Queries, requestId: string): Promise<void> {
  const other = await db
    .selectFrom('jobs')
    .select('id')
    .where('request_id', '=', requestId)
    .executeTakeFirst();
  if (other !== undefined) throw new Overtaken();
}

async function raiseGeneration(
  db: Queries,
  start: StartCommit,
  now: string,
  storeGeneration: string,
): Promise<void> {
  const card = start.next.job.identification;
  const { row } = start;
  if (row === undefined) {
    const inserted = await db
      .insertInto('cards')
      .values({
        id: card,
        card_type: start.cardType,
        account: null,
        account_factor: null,
        generation: start.generation,
        set_aside: null,
        first_seen: now,
        store_generation: storeGeneration,
      })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 0n) throw new Overtaken();
    return;
  }
  const raised = await db
    .updateTable('cards')
    .set({ generation: start.generation, store_generation: storeGeneration })
    .where('id', '=', card)
    .where('generation', '=', row.generation)
    .where('account', 'is not distinct from', row.account)
    .where('set_aside', 'is not distinct from', row.set_aside)
    .executeTakeFirst();
  if (raised.numUpdatedRows !== 1n) throw new Overtaken();
}

/** Binds the card to its account, once; two cards with the same D would have the same keys and are refused. */
async function bindAccount(db: Queries, card: string, account: string, factor: string): Promise<void> {
  const other = await findCardOfAccount(db, factor);
  if (other !== undefined && other !== card)
    throw new KaikaError('account-taken', 'another card has this account');
  await db
    .updateTable('cards')
    .set({ account, account_factor: factor })
    .where('id', '=', card)
    .where('account', 'is', null)
    .execute();
}

export interface StepCommit {
  readonly row: JobsTable;
  readonly seq: number;
  readonly hash: string;
  readonly sent: readonly Sent[];
  readonly fates: readonly Fate[];
  readonly before: CardState;
  readonly next: JobOnCard;
  readonly outcome: Outcome | undefined;
  /** The batch that goes out, sealed; null when the job is over. */
  readonly sealed: string | null;
  readonly effect: boolean;
  /** What it uses up of the caps. */
  readonly use: Use;
  readonly at: string;
  /** With an outcome: the receipt that goes with it, so that a repeated report gets the same. */
  readonly receipt: string | null;
}

/** Compare-and-set on (job, seq, generation), answers, intent, reply. @throws Overtaken, KaikaError `account-taken` */
export async function commitStep(context: JobContext, step: StepCommit): Promise<void> {
  const now = step.at;
  const { row, next } = step;
  await inTransaction(
    context.store,
    async (db) => {
      // Compared by writing: a transaction that begins by reading could not become a writer behind another instance's back.
      const held = await db
        .updateTable('cards')
        .set({ generation: row.generation })
        .where('id', '=', row.card)
        .where('generation', '=', row.generation)
        .executeTakeFirst();
      if (held.numUpdatedRows !== 1n) throw new Overtaken();
      const moved = await db
        .updateTable('jobs')
        .set({
          seq: step.outcome === undefined ? step.seq + 1 : step.seq,
          state: JSON.stringify(next.job),
          ended: step.outcome === undefined ? null : now,
          result: step.outcome?.result ?? null,
          outcome: step.outcome === undefined ? null : JSON.stringify(step.outcome),
        })
        .where('id', '=', row.id)
        .where('seq', '=', step.seq)
        .where('ended', 'is', null)
        .executeTakeFirst();
      if (moved.numUpdatedRows !== 1n) throw new Overtaken();
      if (step.effect) await bindAccount(db, row.card, next.job.account, next.job.accountFactor);
      await writeStep(db, {
        job: row.id,
        seq: step.seq,
        request_hash: step.hash,
        sealed: step.sealed,
        created: now,
        receipt: step.receipt,
      });
      await writeCommands(db, step);
      await writeCardState(db, row.card, step.before, next.card, now, () => row.id);
      if (next.job.setAside !== null) {
        await db
          .updateTable('cards')
          .set({ set_aside: next.job.setAside })
          .where('id', '=', row.card)
          .execute();
      }
      if (step.outcome === undefined) {
        await db
          .updateTable('leases')
          .set({ expires: leaseEnd(context) })
          .where('job', '=', row.id)
          .execute();
      } else {
        await endLease(db, row.card, row.id);
      }
      await countUse(db, context, step.use);
    },
    () => new Overtaken(),
  );
}

async function writeCommands(db: Queries, step: StepCommit): Promise<void> {
  const rows = rowsOf(step).map(([seq, name, app, sw, , hash], position) => ({
    job: step.row.id,
    seq,
    position,
    step: name,
    app,
    sw,
    load_file_hash: hash,
  }));
  await insertCommands(db, rows);
}

function leaseEnd(context: JobContext): string {
  return new Date(context.now().getTime() + context.leaseMilliseconds).toISOString();
}
