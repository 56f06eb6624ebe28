/** POST /v1/jobs/{job}/answers/{seq}: takes in what the card said and decides what comes next. */
import { z } from 'zod';
import { fromHex } from '../../card/bytes.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { storedStepReplySchema } from '../../protocol/stored-outcome.ts';
import { type AnswersRequest, API_LEVEL, batchSchema, type StepReply } from '../../protocol/wire.ts';
import { absorb } from '../issuer/absorb.ts';
import { readFates } from '../issuer/answers.ts';
import { type Built, buildNext } from '../issuer/build.ts';
import { lifeOf } from '../issuer/card-life.ts';
import { judgePresence } from '../issuer/domain-channel.ts';
import { dated, grounded, standingSetAside } from '../issuer/ground.ts';
import { openAnswers } from '../issuer/open-answers.ts';
import { outcomeOf } from '../issuer/outcome.ts';
import type { IssuerPorts } from '../issuer/ports.ts';
import { isShown, type JobOnCard } from '../issuer/progress.ts';
import { readCardState } from '../store/cards.ts';
import { noteLate } from '../store/commands.ts';
import { findJob, readState } from '../store/jobs.ts';
import { findStep } from '../store/steps.ts';
import type { JobsTable } from '../store/tables.ts';
import { Overtaken, untilNotOvertaken } from '../store/turns.ts';
import { gripped } from './binding.ts';
import { auditExcess, authenticationsOf, exceededCap, NO_AUTHENTICATIONS, type Use } from './caps.ts';
import { commitStep } from './commit-step.ts';
import type { JobContext, StationCaller } from './context.ts';
import type { StepDecision } from './decisions.ts';
import { issuerPorts } from './issuer-ports.ts';
import { receiptOfStep } from './receipts.ts';
import { hashOf, openReply, sealReply } from './replies.ts';

/** @throws KaikaError `not-found`, `step-conflict`, `job-superseded`, `bad-request`; VaultError (nothing has changed). */
export async function answerStep(
  context: JobContext,
  caller: StationCaller,
  job: string,
  seq: number,
  report: AnswersRequest,
): Promise<StepReply> {
  return untilNotOvertaken(() => answerOnce(context, caller, job, seq, report));
}

async function answerOnce(
  context: JobContext,
  caller: StationCaller,
  job: string,
  seq: number,
  report: AnswersRequest,
): Promise<StepReply> {
  const row = await findJob(context.store, job);
  if (row === undefined || row.station !== caller.station) throw new KaikaError('not-found', 'no such job');
  // Asked first: a job that lost its card to another must not get its batch again, which would change the card behind the other's back.
  if (row.result === 'superseded') return refuseLate(context, row, seq, report);
  const hash = hashOf(report);
  const stored = await storedReply(context, row, seq, hash);
  if (stored !== undefined) return stored;
  if (row.ended !== null || seq !== row.seq) throw conflict(row);

  const state = readState(row);
  const profile = context.catalogue.profiles.find((one) => one.id === state.profile);
  if (profile === undefined)
    throw new KaikaError('wrong-card-type', 'the job is for a card type that is gone');
  const before = await readCardState(context.store, row.card);
  const ports = issuerPorts(context, profile, state);
  const opened = await openAnswers(
    state,
    readFates(state.sent, report),
    () => commandsOut(context, row, seq),
    ports,
  );
  const fates = await judgePresence(state.sent, opened, before, ports);
  const at = context.now().toISOString();
  const learned = grounded(before, absorb(state, before, report, fates, ports), ports);
  const taken = dated(learned, { job, at });
  const { built: made, use, exceeded } = await buildWithin(context, row, taken, ports);
  const built = { ...made, next: grounded(taken.card, made.next, ports) };
  const over = built.commands.length === 0;
  const effect = built.commands.some((command) => command.effect === true);
  const proven = fates.some((fate, at) => state.sent[at]?.guarded === true && fate.kind === 'ok');
  const shown = isShown(built.next.job, profile);
  const { next, grip } = gripped(built.next, { effect, proven, shown });
  const step: StepDecision = {
    row,
    seq,
    hash,
    sent: state.sent,
    fates,
    shown,
    before,
    next,
    outcome: over ? outcomeOf(next.job, next.card) : undefined,
    // No job runs on a card that is set aside, so only the job itself can have done it.
    life: lifeOf(next.card, profile, standingSetAside(next.job, profile)),
    effect,
    grip,
    use,
    at,
  };
  const receipt = await receiptOfStep(context, step);
  const reply: StepReply = {
    apiLevel: API_LEVEL,
    ...(step.outcome === undefined
      ? { batch: { seq: seq + 1, cardEpoch: report.cardEpoch, commands: [...built.commands] } }
      : { outcome: step.outcome }),
    ...(receipt === undefined ? {} : { receipt }),
  };
  await commitStep(context, step, {
    // Only batches are sealed, for they hold key writes. An outcome holds none, and is told again while the HSM is away.
    sealed: over ? null : await sealReply(context.vault, job, seq, reply),
    receipt: over ? (receipt ?? null) : null,
  });
  if (exceeded !== undefined)
    await auditExcess(context, exceeded, {
      station: row.station,
      operator: row.operator,
      card: row.card,
      job,
    });
  return reply;
}

/** The next batch; or, when it would exceed a cap, the job's end: what the card said goes on record all the same. */
async function buildWithin(
  context: JobContext,
  row: JobsTable,
  taken: JobOnCard,
  ports: IssuerPorts,
): Promise<{ built: Built; use: Use; exceeded?: string }> {
  const built = await buildNext(taken, ports);
  const use: Use = {
    card: row.card,
    station: row.station,
    jobs: 0,
    authentications: authenticationsOf(built.commands),
  };
  const exceeded = await exceededCap(context, use);
  if (exceeded === undefined) return { built, use };
  const stopped = { ...taken, job: { ...taken.job, error: 'too-many-attempts' as const } };
  return {
    built: await buildNext(stopped, ports),
    use: { ...use, authentications: NO_AUTHENTICATIONS },
    exceeded,
  };
}

/** The batch that is answered with `seq`, as it went out: sealed in the step before. */
async function commandsOut(context: JobContext, row: JobsTable, seq: number): Promise<Uint8Array[]> {
  const step = await findStep(context.store, row.id, seq - 1);
  if (step === undefined) throw conflict(row);
  if (step.sealed === null) {
    // The same request, asked at once, may have gone on with the job since it was read; else the batch was taken back.
    const now = await findJob(context.store, row.id);
    throw now?.seq === row.seq && now.ended === row.ended ? conflict(row) : new Overtaken();
  }
  const reply = await openReply(context.vault, row.id, seq - 1, step.sealed);
  const { batch } = batchReplySchema.parse(reply);
  return batch.commands.map((command) => fromHex(command.apdu));
}

/** The part of a reply (to a new job, or to a step) that holds its batch. */
const batchReplySchema = z.object({ batch: batchSchema });

/** The same answers again get the same reply and change nothing; other answers to the same step are a conflict. */
async function storedReply(
  context: JobContext,
  row: JobsTable,
  seq: number,
  hash: string,
): Promise<StepReply | undefined> {
  const step = seq >= 1 ? await findStep(context.store, row.id, seq) : undefined;
  if (step === undefined) return undefined;
  if (step.request_hash !== hash) throw conflict(row);
  if (row.ended !== null && row.outcome !== null && seq === row.seq) {
    const receipt = step.receipt === null ? {} : { receipt: step.receipt };
    return storedStepReplySchema.parse({ apiLevel: API_LEVEL, outcome: JSON.parse(row.outcome), ...receipt });
  }
  if (step.sealed === null) {
    // The same request, asked at once: it ended the job between the reading of the job and that of the step. Read both again.
    if (row.ended === null && seq === row.seq) throw new Overtaken();
    throw conflict(row);
  }
  return storedStepReplySchema.parse(await openReply(context.vault, row.id, seq, step.sealed));
}

function conflict(row: JobsTable): KaikaError {
  return new KaikaError('step-conflict', 'the job stands elsewhere', {
    seq: row.seq,
    cardEpoch: readState(row).cardEpoch,
  });
}

/** Answers of an older generation, to the batch that was out, go to that job's log only; what is newer stays as it is. */
async function refuseLate(
  context: JobContext,
  row: JobsTable,
  seq: number,
  report: AnswersRequest,
): Promise<never> {
  if (seq === row.seq)
    await noteLate(context.store, {
      job: row.id,
      seq,
      generation: row.generation,
      received: context.now().toISOString(),
      sws: report.answers.map((answer) => answer.slice(-4)),
    });
  throw new KaikaError('job-superseded', 'another job has taken this card over');
}
