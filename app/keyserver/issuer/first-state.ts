/** The first state of a job, before anything was sent. Pure. */

import type { Plan } from '../../catalogue/plan.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import { factorOf } from '../../dialects/keys.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { AppState, JobRequest } from '../../protocol/wire.ts';
import type { Grip } from './account-grip.ts';
import { ruleOf } from './app-work.ts';
import type { CardAppState, CardState } from './card-state.ts';
import { isDoubtful, takenOpening } from './plan-job.ts';
import type { AppProgress, JobState } from './state.ts';
import { type ActiveVersion, domainTarget, targetsOf } from './targets.ts';

/** The first state of a job, before anything was sent. `card` is the record, brought together with what was seen. */
export function firstState(input: {
  readonly request: JobRequest;
  readonly card: CardState;
  readonly plan: Plan;
  readonly profile: CardTypeProfile;
  readonly identification: string;
  readonly activeVersion: ActiveVersion;
  /** The record as it was. */
  readonly before: CardState;
  /** Deletions that a second person confirmed, and wishes that fail because nobody did. */
  readonly confirmations: {
    readonly used: readonly { readonly app: string; readonly balance: number | null; readonly by: string }[];
    readonly missing: Readonly<Record<string, ErrorCode>>;
  };
  /** What is held of the account before the job: all of it where the card has it already. */
  readonly grip: Grip;
}): JobState {
  const { request, plan } = input;
  const { used, missing } = input.confirmations;
  const withKeys = plan.steps.flatMap((step) => ('app' in step ? [step.app] : []));
  const renewed = plan.steps.flatMap((step) => (step.kind === 'renew' ? [step.app] : []));
  const codes = { identification: input.identification, account: request.account };
  const opening = takenOpening(request, plan, input.card, input.profile);
  return {
    profile: input.profile.id,
    identification: input.identification,
    account: request.account,
    accountFactor: factorOf(request.account),
    grip: input.grip,
    steps: plan.steps.map((step) =>
      step.kind === 'content' ? { ...step, deletes: [...step.deletes], loads: [...step.loads] } : { ...step },
    ),
    plannedTrips: plan.trips,
    at: 0,
    cardEpoch: request.cardEpoch,
    identified: opening !== undefined,
    apps: Object.fromEntries([
      ...renewed.map((app) => [app, progressOf('renew', 'enabled', undefined)] as const),
      // A wish comes after: enabling what is enabled already stays a wish, whatever else happens to the app.
      ...request.wishes.map(
        (wish) =>
          [
            wish.app,
            {
              ...progressOf(wish.action, stateOf(request, wish.app), input.card.apps[wish.app]),
              error: missing[wish.app] ?? null,
            },
          ] as const,
      ),
    ]),
    targets: Object.fromEntries(
      withKeys.map((app) => [
        app,
        targetsOf(app, issuingOf(ruleOf(input, app)).keys.roles, codes, input.activeVersion),
      ]),
    ),
    domainTarget: plan.steps.some((step) => step.kind === 'domain-keys')
      ? domainTarget(input.profile, input.card, input.activeVersion)
      : null,
    domainMoves: 0,
    domainTouched: false,
    held: false,
    seen: Object.fromEntries(
      request.observed
        .filter(({ app }) => Object.hasOwn(input.profile.apps, app))
        .map(({ app, state }) => [app, state]),
    ),
    firstSeen: Object.keys(input.card.apps).filter((app) => input.before.apps[app] === undefined),
    unshown: 0,
    confirmedPurses: used.filter(({ balance }) => balance === null).map(({ app }) => app),
    confirmedAmounts: Object.fromEntries(
      used.flatMap(({ app, balance }) => (balance === null ? [] : [[app, balance]])),
    ),
    confirmedBy: Object.fromEntries(used.map(({ app, by }) => [app, by])),
    scratch: opening === undefined ? {} : { app: { step: 0, notes: opening } },
    sent: [],
    channel: null,
    trips: 1,
    error: null,
    setAside: null,
  };
}

function stateOf(request: JobRequest, app: string): AppState {
  return request.observed.find((one) => one.app === app)?.state ?? 'missing';
}

function progressOf(
  action: AppProgress['action'],
  before: AppState,
  known: CardAppState | undefined,
): AppProgress {
  return {
    action,
    before,
    after: before,
    error: null,
    attempts: 0,
    loads: 0,
    cleanings: 0,
    flagInDoubt: false,
    contentInDoubt: before === 'missing' && isDoubtful(known, action),
    touched: false,
    said: 'nothing',
  };
}
