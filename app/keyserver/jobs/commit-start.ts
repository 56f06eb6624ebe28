/** The transaction that begins a job: what could be true of the card afterwards is on disk before the first batch leaves. */
import { spendConfirmation } from '../access/confirmations.ts';
import { writeAudit } from '../audit/entries.ts';
import type { CardState } from '../issuer/card-state.ts';
import { findOpenBindings } from '../store/bindings.ts';
import { beginGeneration, insertCard } from '../store/card-rows.ts';
import { readCardState, writeCardState } from '../store/cards.ts';
import { findJobByRequest, insertJob, supersedeOpenJobs } from '../store/jobs.ts';
import { isAnyRetired } from '../store/key-versions.ts';
import { holdLease, releaseCard } from '../store/leases.ts';
import { writeStep } from '../store/steps.ts';
import type { Queries } from '../store/store.ts';
import { inTransaction } from '../store/transaction.ts';
import { Overtaken } from '../store/turns.ts';
import { secureAccount } from './binding.ts';
import { countUse, tooManyInHand } from './caps.ts';
import { firstLeaseEnd, type JobContext, leaseEnd } from './context.ts';
import type { StartDecision } from './decisions.ts';
import { keysWanted } from './keys-wanted.ts';
import { whoEnabled } from './who-enabled.ts';

/** `sealed`: the reply. @throws KaikaError `account-taken`, `server-busy` for a station with too many cards in hand; Overtaken */
export async function commitStart(context: JobContext, start: StartDecision, sealed: string): Promise<void> {
  await inTransaction(
    context.store,
    (db) => commit(db, context, start, sealed),
    () => new Overtaken(),
  );
}

async function commit(db: Queries, context: JobContext, start: StartDecision, sealed: string): Promise<void> {
  const { at: now, next, request, caller, outcome } = start;
  const card = next.job.identification;
  // The first statement writes the card's row and so locks it: what is read after it is the newest and cannot change.
  await beginOnCard(db, start, context.storeGeneration);
  await requireUnchanged(db, card, start.before);
  if ((await findJobByRequest(db, request.requestId)) !== undefined) throw new Overtaken();
  const bound = await findOpenBindings(db, card, next.job.accountFactor);
  // A step of the job that held the card may have bound it to another account since its row was read.
  if ((bound.own?.account ?? null) !== (start.row?.account ?? null)) throw new Overtaken();
  await secureAccount(db, next.job, start.grip, bound, {
    at: now,
    job: start.job,
    shown: start.shown,
    leaseEnd: leaseEnd(context),
  });
  await spendConfirmations(db, start);
  await supersedeOpenJobs(db, card, now);
  const issuedIn = await whoEnabled(db, {
    card,
    before: start.before,
    after: next.card,
    id: start.job,
    job: next.job,
    shown: start.shown,
  });
  await insertJob(
    db,
    {
      id: start.job,
      request_id: request.requestId,
      request_hash: start.hash,
      station: caller.station,
      operator: caller.operator,
      reader: request.reader,
      card,
      account: request.account,
      generation: start.generation,
      started: now,
    },
    {
      seq: outcome === undefined ? 1 : 0,
      state: next.job,
      ended: outcome === undefined ? null : now,
      outcome: outcome ?? null,
    },
  );
  // A version that was active when the job was decided may have been retired since. It is asked after the job's row is written, and
  // retiring waits for such rows: whichever of the two comes second sees the first, so that no card gets a retired key.
  if (await isAnyRetired(db, keysWanted(next.job))) throw new Overtaken();
  await writeStep(db, {
    job: start.job,
    seq: 0,
    request_hash: start.hash,
    sealed,
    created: now,
    receipt: null,
  });
  await writeCardState(db, card, start.before, next.card, now, issuedIn);
  await countUse(db, context, start.use);
  // This job took the card from whoever had it, and is over at once: nobody has it in hand now.
  if (outcome !== undefined) return releaseCard(db, card);
  // After the station's jobs of the hour were counted: starts of one station wait for each other there, so each sees the leases of all before it.
  const held = await holdLease(
    db,
    {
      card,
      job: start.job,
      station: caller.station,
      operator: caller.operator,
      reader: request.reader,
      since: now,
      expires: firstLeaseEnd(context),
    },
    context.limits.jobsAtOnce,
  );
  if (!held) throw tooManyInHand();
}

/** @throws Overtaken when another job has begun on the card since it was decided */
async function beginOnCard(db: Queries, start: StartDecision, storeGeneration: number): Promise<void> {
  const { row, generation } = start;
  const begun =
    row === undefined
      ? await insertCard(db, {
          id: start.next.job.identification,
          card_type: start.cardType,
          generation,
          first_seen: start.at,
          store_generation: String(storeGeneration),
        })
      : await beginGeneration(db, row, { generation, storeGeneration, cardType: start.cardType });
  if (!begun) throw new Overtaken();
}

/** Each is good once; who confirmed what is on record. @throws Overtaken for one that another request used up meanwhile */
async function spendConfirmations(
  db: Queries,
  { confirmations, caller, job, at }: StartDecision,
): Promise<void> {
  for (const { token, by, card, app, balance } of confirmations) {
    if (!(await spendConfirmation(db, token))) throw new Overtaken();
    const detail = { app, balance, asked: caller.operator };
    const entry = {
      kind: 'purse-confirmed',
      station: caller.station,
      operator: by,
      card,
      job,
      detail,
    } as const;
    await writeAudit(db, entry, new Date(at));
  }
}

/** A step of the job that held the card may have been committed since its state was read. */
async function requireUnchanged(db: Queries, card: string, before: CardState): Promise<void> {
  const current = await readCardState(db, card);
  if (JSON.stringify(current) !== JSON.stringify(before)) throw new Overtaken();
}
