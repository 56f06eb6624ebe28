/** POST /v1/jobs: one card, any number of wishes. Repeating the request changes nothing and gets the same reply. */
import { randomUUID } from 'node:crypto';
import type { Plan, PlanStep } from '../../catalogue/plan.ts';
import { recognise } from '../../catalogue/recognise.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { storedJobReplySchema } from '../../protocol/stored-outcome.ts';
import { API_LEVEL, type JobReply, type JobRequest, type PlanSummary } from '../../protocol/wire.ts';
import { buildNext } from '../issuer/build.ts';
import { lifeOf } from '../issuer/card-life.ts';
import { asOfType } from '../issuer/card-type.ts';
import { firstState } from '../issuer/first-state.ts';
import { foreknowledge } from '../issuer/foretell.ts';
import { grounded, standingSetAside } from '../issuer/ground.ts';
import { outcomeOf } from '../issuer/outcome.ts';
import { planFor } from '../issuer/plan-job.ts';
import { isShown } from '../issuer/progress.ts';
import { reconcile } from '../issuer/reconcile.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { findCard, ownAccount } from '../store/card-rows.ts';
import { readCardState } from '../store/cards.ts';
import { findJobByRequest } from '../store/jobs.ts';
import { findStep } from '../store/steps.ts';
import { untilNotOvertaken } from '../store/turns.ts';
import { gripped } from './binding.ts';
import { authenticationsOf, refuseExcess, type Use } from './caps.ts';
import { commitStart } from './commit-start.ts';
import { confirmedDeletions } from './confirmations.ts';
import type { JobContext, OperatorCaller } from './context.ts';
import type { StartDecision } from './decisions.ts';
import { issuerPorts } from './issuer-ports.ts';
import { receiptOfStart } from './receipts.ts';
import { refuseCard } from './refuse-card.ts';
import { countRefusal, refusalCaps } from './refused-starts.ts';
import { hashOf, openReply, sealReply } from './replies.ts';

/** @throws KaikaError with any of the codes that refuse a job; VaultError when the HSM is away (nothing has changed). */
export async function startJob(
  context: JobContext,
  caller: OperatorCaller,
  request: JobRequest,
): Promise<JobReply> {
  try {
    return await untilNotOvertaken(() => startOnce(context, caller, request));
  } catch (error) {
    // A store or an HSM that failed has decided nothing: the station asks again.
    if (!(error instanceof KaikaError)) throw error;
    // The same request, asked at once, may have begun the job, and used up the confirmation that this one then lacked. Both get the same reply.
    const begun = await repeatedReply(context, caller, request);
    if (begun !== undefined) return begun;
    throw await countRefusal(context, caller, request, error);
  }
}

async function startOnce(context: JobContext, caller: OperatorCaller, asked: JobRequest): Promise<JobReply> {
  const { givenUp, ...request } = asked;
  const repeated = await repeatedReply(context, caller, request);
  if (repeated !== undefined) return repeated;
  // The station has given the job up and asks only whether it was begun. It must not begin now: other jobs may have worked on the card since.
  if (givenUp === true) throw new KaikaError('not-found', 'no such job was begun');

  // The card's file says "no account" with zeros.
  if (/^0+$/.test(request.account)) throw new KaikaError('account-invalid', 'an account of zeros only');
  const recognition = recognise(context.catalogue, request.card);
  if (!recognition.known) throw new KaikaError(recognition.code, recognition.reason);
  const { profile, identification } = recognition;
  if (profile.account.source === 'identification' && request.account !== identification)
    throw new KaikaError('account-mismatch', 'cards of this type have their identification code as account');
  const row = await findCard(context.store, identification);
  const before = await readCardState(context.store, identification);
  const life = lifeOf(before, profile, readSetAside(row?.set_aside));
  const card = { identification, profile, row, before, life };
  const isNamed = await refuseCard(context, caller, request, card);
  const typed = row === undefined || row.card_type === profile.id ? before : asOfType(before, profile);
  const known = reconcile(typed, request, profile, identification);
  const activeVersion = await context.activeVersions();
  // What is only named for another goes to the card that shows itself: this one does so before anything else.
  const planned = isNamed ? withoutOpening(request) : request;
  const opening = isNamed ? undefined : foreknowledge(profile, known, request.card);
  const plan = planFor(
    context.catalogue,
    profile,
    { request: planned, identification },
    known,
    activeVersion,
    opening,
  );
  const confirmations = await confirmedDeletions(context, caller, request, identification);
  const state = firstState({
    request: planned,
    card: known,
    before,
    plan,
    profile,
    identification,
    activeVersion,
    confirmations,
    grip: ownAccount(row) === null ? 'none' : 'bound',
  });
  const ports = issuerPorts(context, profile, { identification, account: request.account });
  const made = await buildNext({ job: state, card: known }, ports, opening);
  const built = { ...made, next: grounded(known, made.next, ports) };

  const use: Use = {
    card: identification,
    station: caller.station,
    jobs: 1,
    authentications: authenticationsOf(built.commands),
  };
  await refuseExcess(context, use, caller.operator, refusalCaps(context, caller));

  const job = randomUUID();
  const generation = (row?.generation ?? 0) + 1;
  const over = built.commands.length === 0;
  const effect = built.commands.some((command) => command.effect === true);
  const shown = isShown(built.next.job, profile);
  const { next, grip } = effect
    ? gripped(built.next, { effect, proven: false, shown })
    : { next: built.next, grip: 'none' as const };
  const start: StartDecision = {
    caller,
    request,
    hash: hashOf(request),
    job,
    generation,
    row,
    before,
    known,
    next,
    outcome: over ? outcomeOf(next.job, next.card) : undefined,
    life: lifeOf(next.card, profile, standingSetAside(next.job, profile)),
    cardType: profile.id,
    confirmations: confirmations.used,
    shown,
    effect,
    grip,
    use,
    at: context.now().toISOString(),
  };
  const receipt = await receiptOfStart(context, start);
  const reply: JobReply = {
    apiLevel: API_LEVEL,
    job,
    generation,
    plan: summarise(plan),
    ...(start.outcome === undefined
      ? { batch: { seq: 1, cardEpoch: request.cardEpoch, commands: [...built.commands] } }
      : { outcome: start.outcome }),
    ...(receipt === undefined ? {} : { receipt }),
  };
  await commitStart(context, start, await sealReply(context.vault, job, 0, reply));
  return reply;
}

async function repeatedReply(
  context: JobContext,
  caller: OperatorCaller,
  { givenUp: _asked, ...request }: JobRequest,
): Promise<JobReply | undefined> {
  const job = await findJobByRequest(context.store, request.requestId);
  if (job === undefined) return undefined;
  if (job.request_hash !== hashOf(request) || job.station !== caller.station) {
    throw new KaikaError('request-conflict', 'this request id was used for another request');
  }
  if (job.result === 'superseded')
    throw new KaikaError('job-superseded', 'another job has taken this card over');
  const step = await findStep(context.store, job.id, 0);
  if (step?.sealed == null) {
    throw new KaikaError('step-conflict', 'the job has gone on since', { job: job.id, seq: job.seq });
  }
  return storedJobReplySchema.parse(await openReply(context.vault, job.id, 0, step.sealed));
}

function withoutOpening({ opening: _unused, ...request }: JobRequest): JobRequest {
  return request;
}

function summarise(plan: Plan): PlanSummary {
  const steps = plan.steps.flatMap(told);
  return { steps, trips: plan.trips, memory: plan.memory };
}

/** A plan step in the words of the wire. */
function told(step: PlanStep): PlanSummary['steps'] {
  switch (step.kind) {
    case 'enable':
    case 'renew':
      return [{ kind: step.kind, app: step.app }];
    case 'content':
      return [
        ...step.deletes.map((app) => ({ kind: 'delete' as const, app })),
        ...step.loads.map((app) => ({ kind: 'load' as const, app })),
      ];
    case 'domain-keys':
      // Part of the first job on such a card, and of no app: its trips and the labels of its commands show it.
      return [];
  }
}
