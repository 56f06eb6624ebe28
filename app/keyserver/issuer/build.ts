/** The next batch of a job, from where it stands; or nothing, when the job is at its end. */
import { toHex } from '../../card/bytes.ts';
import { allCurrent } from '../../dialects/keys.ts';
import type { Command } from '../../protocol/wire.ts';
import { findRule } from './app-work.ts';
import { buildApp } from './build-app.ts';
import { buildClean, buildContent } from './build-content.ts';
import { buildDomainKeys } from './build-domain-keys.ts';
import { type CardState, domainOf, withDomain } from './card-state.ts';
import { certainSet, type DomainKeySet, isMoved } from './domain-keys.ts';
import type { Draft } from './draft.ts';
import { type Foreknowledge, foretell, wipeForetold } from './foretell.ts';
import { isDisputed } from './ground.ts';
import { headOf } from './heads.ts';
import type { IssuerPorts } from './ports.ts';
import { failApp, failJob, isClean, isFinished, type JobOnCard, type NextCommands } from './progress.ts';
import type { JobState, Scratch } from './state.ts';

export interface Built {
  /** Empty when the job is over. */
  readonly commands: readonly Command[];
  /** The job with the batch noted as sent, and the card with what may be true once it is. */
  readonly next: JobOnCard;
}

/**
 * The last resort: every retry has a bound of its own, but one that nobody thought of (a reader that loses the card at each command)
 * would keep job and card busy without end.
 */
const MOST_TRIPS_BEYOND_PLAN = 100;

/**
 * Puts the next batch together. What could be true afterwards is in `next` and must be stored before the batch leaves.
 * @param known only for the first batch of a job: what a channel that opens it follows from.
 * @throws VaultError when the HSM cannot serve; nothing has changed then.
 */
export async function buildNext(now: JobOnCard, ports: IssuerPorts, known?: Foreknowledge): Promise<Built> {
  let current = skipFinished(withoutStrangers(now, ports));
  for (;;) {
    const step = current.job.steps[current.job.at];
    if (step === undefined || current.job.error !== null || current.job.setAside !== null) {
      const drafts = isDisputed(current, ports) ? lastHead(current, ports) : [];
      return drafts.length > 0 ? send(current, drafts) : { commands: [], next: current };
    }
    if (current.job.trips >= current.job.plannedTrips + MOST_TRIPS_BEYOND_PLAN)
      return { commands: [], next: failJob(current, 'too-many-attempts') };
    const built = await (known === undefined || current.job.at > 0
      ? buildStep(current, step, ports)
      : buildForetold(current, step, ports, known));
    if (built.drafts.length > 0) return send(built.next, built.drafts);
    current = skipFinished(built.next);
  }
}

/** A job that was to be over, and is not before the card has shown itself: what it told would else be a station's word. */
function lastHead(now: JobOnCard, ports: IssuerPorts): readonly Draft[] {
  const { steps, error } = now.job;
  if (error === 'other-card' || error === 'too-many-attempts') return [];
  return headOf({ ...now, job: { ...now.job, identified: true } }, steps.length, ports);
}

/** A first step whose channel can be opened unseen: how it begins, and at once what follows. */
async function buildForetold(
  now: JobOnCard,
  step: JobState['steps'][number],
  ports: IssuerPorts,
  known: Foreknowledge,
): Promise<NextCommands> {
  const foretold = opensUnseen(now.job, step) ? await foretell(known, ports) : undefined;
  if (foretold === undefined) return buildStep(now, step, ports);
  const { hostChallenge, response, keys } = foretold;
  const at = now.job.at;
  const channel = { step: at, hostChallenge: toHex(hostChallenge), response: toHex(response) };
  try {
    const head = headOf(now, at, ports, foretold);
    const staged = {
      ...now,
      // The head is in front of it, and stops the batch where the card is another one.
      job: { ...now.job, identified: true, scratch: { ...now.job.scratch, channel } },
    };
    const session = (set: DomainKeySet) => ({
      ...ports.domainKeys.session(set),
      sessionKeys: () => Promise.resolve(keys),
    });
    const built = await buildStep(staged, step, {
      ...ports,
      domainKeys: { ...ports.domainKeys, session },
    });
    const job = { ...built.next.job, identified: now.job.identified, held: now.job.held };
    const card = withoutUnseenData(built.next.card, now.card, ports);
    return {
      drafts: built.drafts.length === 0 ? [] : [...head, ...built.drafts],
      next: { card: withoutUnseenCount(card, now.card, ports), job },
    };
  } finally {
    wipeForetold(foretold);
  }
}

/** Diversification data that the look gave are not the record's before the card has shown in the channel that they are its own. */
function withoutUnseenData(card: CardState, before: CardState, ports: IssuerPorts): CardState {
  if (card.domain === undefined) return card;
  const data = certainSet(domainOf(before, ports.profile))?.data ?? null;
  return withDomain(card, {
    ...card.domain,
    candidates: card.domain.candidates.map((set) => ({ ...set, data })),
  });
}

/**
 * A batch that went out before the card has shown itself may never have come to it. It counts as an authentication, but such batches alone never
 * use the count up: a station that has no card at all could lock out those that have it.
 */
function withoutUnseenCount(card: CardState, before: CardState, ports: IssuerPorts): CardState {
  const { domain } = card;
  const tries = ports.profile.securityDomain?.maximumTries;
  if (domain === undefined || tries === undefined) return card;
  const least = domainOf(before, ports.profile).spent;
  return withDomain(card, { ...domain, spent: Math.max(least, Math.min(domain.spent, tries - 2)) });
}

/** A channel that nothing has to be read before. */
function opensUnseen(job: JobState, step: JobState['steps'][number]): boolean {
  if (step.kind === 'enable' || step.kind === 'renew' || step.kind === 'clean') return false;
  return step.kind === 'domain-keys' || step.loads.every((app) => job.apps[app]?.contentInDoubt !== true);
}

function buildStep(
  now: JobOnCard,
  step: JobState['steps'][number],
  ports: IssuerPorts,
): Promise<NextCommands> {
  switch (step.kind) {
    case 'enable':
    case 'renew':
      return buildApp(now, step, ports);
    case 'content':
      return buildContent(now, step, ports);
    case 'clean':
      return buildClean(now, step.leftover, ports);
    case 'domain-keys':
      return buildDomainKeys(now, ports);
  }
}

/** A channel's opening serves one batch; what an app noted is its dialect's to use up. */
function usedUp(scratch: Scratch): Scratch {
  const { channel: _channel, ...lasting } = scratch;
  return lasting;
}

/**
 * Apps of the steps to come that the card's type no longer carries fail: without a rule nothing can be built or read for them, and the
 * rest of the plan goes on.
 */
function withoutStrangers(now: JobOnCard, { profile }: IssuerPorts): JobOnCard {
  return now.job.steps
    .slice(now.job.at)
    .filter((step) => !isDone(now, step))
    .flatMap((step) => unfinishedApps(now.job, step))
    .filter((app) => findRule({ profile }, app) === undefined)
    .reduce((next, app) => failApp(next, app, 'app-not-for-this-card'), now);
}

function unfinishedApps(job: JobState, step: JobState['steps'][number]): readonly string[] {
  if (step.kind === 'domain-keys' || step.kind === 'clean') return [];
  if ('app' in step) return [step.app];
  return [...step.loads, ...step.deletes].filter((app) => !isFinished(job, app));
}

/** Moves past steps of which nothing remains to be done. */
function skipFinished(now: JobOnCard): JobOnCard {
  const { job } = now;
  let at = job.at;
  for (let step = job.steps[at]; step !== undefined; step = job.steps[at]) {
    if (!isDone(now, step)) break;
    at += 1;
  }
  return at === job.at ? now : { ...now, job: { ...job, at } };
}

function isDone({ job, card }: JobOnCard, step: JobState['steps'][number]): boolean {
  switch (step.kind) {
    case 'enable':
      return job.apps[step.app]?.error !== null || job.apps[step.app]?.after === 'enabled';
    case 'renew':
      return job.apps[step.app]?.error !== null || isRenewed(job, card, step.app);
    case 'content':
      return [...step.loads, ...step.deletes].every((app) => isFinished(job, app));
    case 'clean':
      return isClean({ job, card }, step.leftover);
    case 'domain-keys':
      return card.domain !== undefined && job.domainTarget !== null && isMoved(card.domain, job.domainTarget);
  }
}

function isRenewed(job: JobState, card: CardState, app: string): boolean {
  const keys = card.apps[app]?.keys;
  const targets = job.targets[app];
  return keys != null && targets !== undefined && allCurrent(keys, targets);
}

function send(now: JobOnCard, drafts: readonly Draft[]): Built {
  return {
    commands: drafts.map((one) => one.command),
    next: {
      ...now,
      job: {
        ...now.job,
        sent: drafts.map((one) => one.sent),
        channel: drafts.some((one) => one.sent.guarded) ? now.job.channel : null,
        scratch: usedUp(now.job.scratch),
      },
    },
  };
}
