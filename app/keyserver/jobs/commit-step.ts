/** The transaction of a step: answers, what they mean for the card, and the next batch's intent, on disk before the reply leaves. */
import { KaikaError } from '../../protocol/errors.ts';
import { reasonOf } from '../issuer/card-life.ts';
import { findOpenBindings } from '../store/bindings.ts';
import { holdCard, writeSetAside } from '../store/card-rows.ts';
import { writeCardState } from '../store/cards.ts';
import { insertCommands } from '../store/commands.ts';
import { moveJob } from '../store/jobs.ts';
import { endLease, regainLease, renewLease } from '../store/leases.ts';
import { writeStep } from '../store/steps.ts';
import type { Queries } from '../store/store.ts';
import { inTransaction } from '../store/transaction.ts';
import { Overtaken } from '../store/turns.ts';
import { letGo, secureAccount } from './binding.ts';
import { countUse, waitForStation } from './caps.ts';
import { type JobContext, leaseEnd } from './context.ts';
import type { StepDecision } from './decisions.ts';
import { answeredCommands } from './receipts.ts';
import { whoEnabled } from './who-enabled.ts';

/** What goes to the station, as far as it is kept for a repeated report. */
interface KeptReply {
  /** The batch, sealed; null when the job is over: its outcome stands in the job. */
  readonly sealed: string | null;
  /** The receipt that goes with an outcome. */
  readonly receipt: string | null;
}

/** Compare-and-set on (job, seq, generation). @throws Overtaken; KaikaError `account-taken` */
export async function commitStep(context: JobContext, step: StepDecision, kept: KeptReply): Promise<void> {
  await inTransaction(
    context.store,
    (db) => commit(db, context, step, kept),
    () => new Overtaken(),
  );
}

async function commit(db: Queries, context: JobContext, step: StepDecision, kept: KeptReply): Promise<void> {
  const { at: now, row, seq, next, outcome } = step;
  if (!(await holdCard(db, row.card, row.generation))) throw new Overtaken();
  const moved = await moveJob(db, row.id, seq, {
    seq: outcome === undefined ? seq + 1 : seq,
    state: next.job,
    ended: outcome === undefined ? null : now,
    outcome: outcome ?? null,
  });
  if (!moved) throw new Overtaken();
  // Of a card that has not shown itself nobody knows that it has the account: its station only says so.
  const twice = !(await secure(db, context, step)) && step.shown;
  await writeStep(db, { job: row.id, seq, request_hash: step.hash, created: now, ...kept });
  await insertCommands(
    db,
    answeredCommands(step).map(({ seq: batch, step: name, app, sw, loadFileHash }, position) => ({
      job: row.id,
      seq: batch,
      position,
      step: name,
      app,
      sw,
      load_file_hash: loadFileHash,
    })),
  );
  const { before, shown } = step;
  const done = { card: row.card, before, after: next.card, id: row.id, job: next.job, shown };
  await writeCardState(db, row.card, before, next.card, now, await whoEnabled(db, done));
  const setAside = reasonOf(step.life) ?? (twice ? { code: 'account-given-twice' as const } : null);
  if (setAside !== null) await writeSetAside(db, row.card, setAside);
  if (outcome === undefined) await keepInHand(db, context, step);
  else {
    await endLease(db, { card: row.card, job: row.id, shown: step.shown, now });
    await letGo(db, row.id, next.job, now);
  }
  await countUse(db, context, step.use);
}

/** A card that has shown itself is kept as long as its station goes on; one that has not, no longer than its job's beginning said. */
async function keepInHand(db: Queries, context: JobContext, { row, shown, at }: StepDecision): Promise<void> {
  if (!shown) return;
  const { card, id: job, station } = row;
  const renewal = { card, job, station, now: at, expires: leaseEnd(context) };
  if (await renewLease(db, renewal)) return;
  await waitForStation(db, context, station);
  await regainLease(db, renewal, context.limits.jobsAtOnce);
}

/**
 * Secures the account. Before a batch leaves that changes the card, an account that another card has by now ends the job. What is only
 * reported has happened, and must be on record: gives false then, because two cards have the account.
 */
async function secure(
  db: Queries,
  context: JobContext,
  { next, row, grip, effect, shown, at }: StepDecision,
): Promise<boolean> {
  if (grip === 'none') return true;
  const open = await findOpenBindings(db, row.card, next.job.accountFactor);
  try {
    await secureAccount(db, next.job, grip, open, { at, job: row.id, shown, leaseEnd: leaseEnd(context) });
    return true;
  } catch (error) {
    if (effect || !(error instanceof KaikaError)) throw error;
    return false;
  }
}
