/** POST /v1/jobs: one card, any number of wishes. Repeating the request changes nothing and gets the same reply. */
import { randomUUID } from 'node:crypto';
import type { Plan, PlanStep } from '../../catalogue/plan.ts';
import { recognise } from '../../catalogue/recognise.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { factorOf } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { setAsideDetails } from '../../protocol/set-aside.ts';
import { storedJobReplySchema } from '../../protocol/stored-outcome.ts';
import { API_LEVEL, type JobReply, type JobRequest, type PlanSummary } from '../../protocol/wire.ts';
import { buildNext } from '../issuer/build.ts';
import { type CardLife, lifeOf, reasonOf } from '../issuer/card-life.ts';
import type { CardState } from '../issuer/card-state.ts';
import { asOfType, standingOf } from '../issuer/card-type.ts';
import { firstState } from '../issuer/first-state.ts';
import { foreknowledge } from '../issuer/foretell.ts';
import { grounded, standingSetAside } from '../issuer/ground.ts';
import { outcomeOf } from '../issuer/outcome.ts';
import { planFor } from '../issuer/plan-job.ts';
import { isShown } from '../issuer/progress.ts';
import { reconcile } from '../issuer/reconcile.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { findBindingOf, holds } from '../store/bindings.ts';
import { type CardRow, findCard, ownAccount } from '../store/card-rows.ts';
import { readCardState } from '../store/cards.ts';
import { findJobByRequest, findLatestShown } from '../store/jobs.ts';
import { findRunningLease } from '../store/leases.ts';
import { findStep } from '../store/steps.ts';
import { untilNotOvertaken } from '../store/turns.ts';
import { gripped, isOnlyNamed } from './binding.ts';
import { authenticationsOf, refuseExcess, type Use } from './caps.ts';
import { commitStart } from './commit-start.ts';
import { confirmedDeletions } from './confirmations.ts';
import type { JobContext, OperatorCaller } from './context.ts';
import type { StartDecision } from './decisions.ts';
import { issuerPorts } from './issuer-ports.ts';
import { receiptOfStart } from './receipts.ts';
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
    return (
      (await begunMeanwhile(context, caller, request)) ??
      Promise.reject(await countRefusal(context, caller, request, error))
    );
  }
}

/** The same request, asked at once, may have begun the job, and used up the confirmation that this one then lacked: it gets the same reply. */
async function begunMeanwhile(
  context: JobContext,
  caller: OperatorCaller,
  { givenUp: _asked, ...request }: JobRequest,
): Promise<JobReply | undefined> {
  // Whatever comes of this look, the refusal it follows is what is told.
  return repeatedReply(context, caller, request, hashOf(request)).catch(() => undefined);
}

async function startOnce(context: JobContext, caller: OperatorCaller, asked: JobRequest): Promise<JobReply> {
  const { givenUp, ...request } = asked;
  const hash = hashOf(request);
  const repeated = await repeatedReply(context, caller, request, hash);
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
    hash,
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
  request: JobRequest,
  hash: string,
): Promise<JobReply | undefined> {
  const job = await findJobByRequest(context.store, request.requestId);
  if (job === undefined) return undefined;
  if (job.request_hash !== hash || job.station !== caller.station) {
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

/**
 * Reasons to refuse the card itself: set aside, bound to another account, in another station's hands. Says whether the account is kept for another
 * card, or the card for another account, on nothing but a station's word.
 */
async function refuseCard(
  context: JobContext,
  caller: OperatorCaller,
  request: JobRequest,
  card: {
    readonly identification: string;
    readonly profile: CardTypeProfile;
    readonly row: CardRow | undefined;
    readonly before: CardState;
    readonly life: CardLife;
  },
): Promise<boolean> {
  const { identification, profile, row, before, life } = card;
  if (row !== undefined && row.card_type !== profile.id && !(await isOnlyTold(context, row, before)))
    throw new KaikaError('wrong-card-type', 'the card was of another type before');
  const setAside = reasonOf(life);
  if (setAside !== null)
    throw new KaikaError('card-set-aside', 'the card is set aside', setAsideDetails(setAside));
  const now = context.now().toISOString();
  // Cards of other types can show nothing: of them a station's word is all there is.
  const onlyNamed = async (binding: Parameters<typeof isOnlyNamed>[1]) =>
    profile.securityDomain !== undefined && (await isOnlyNamed(context.store, binding));
  const elsewhere = belongsElsewhere(row, before, request.account, now);
  if (elsewhere !== 'no') {
    const own = { job: row?.kept_by ?? null, reservedUntil: row?.reserved_until ?? null };
    if (elsewhere === 'moved' || !(await onlyNamed(own)))
      throw new KaikaError('account-mismatch', 'the card belongs to another account');
  }
  const other = await findBindingOf(context.store, factorOf(request.account));
  const isTaken = other !== undefined && other.card !== identification && holds(other, now);
  if (isTaken && !(await onlyNamed(other)))
    throw new KaikaError('account-taken', 'another card has this account');
  const lease = await findRunningLease(context.store, identification, now);
  if (lease !== undefined && lease.station !== caller.station) {
    throw new KaikaError('card-in-use', 'another station has a job on this card', {
      operator: lease.operator,
      station: lease.station,
      reader: lease.reader,
      since: lease.since,
    });
  }
  return isTaken || elsewhere !== 'no';
}

/** Whether nothing but a station's word says that the card is of the type on record. */
async function isOnlyTold(
  { store, catalogue }: JobContext,
  row: CardRow,
  before: CardState,
): Promise<boolean> {
  const type = catalogue.profiles.find(({ id }) => id === row.card_type);
  switch (standingOf(before, type, ownAccount(row))) {
    case 'open':
      return true;
    case 'unless-shown':
      return (await findLatestShown(store, row.id, 1)).length === 0;
    case 'stands':
      return false;
  }
}

/**
 * An account that was only kept for the card, and is no longer, is not the card's: its apps are moved to another's keys as to another version.
 * Its domain's keys are not, and may be diversified with the account.
 */
function belongsElsewhere(
  row: CardRow | undefined,
  { domain }: CardState,
  account: string,
  now: string,
): 'no' | 'kept' | 'moved' {
  if (row === undefined || row.account === null || row.account === account) return 'no';
  if (domain?.candidates.some(({ origin }) => origin === 'issuer') === true) return 'moved';
  return holds({ reservedUntil: row.reserved_until }, now) ? 'kept' : 'no';
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
