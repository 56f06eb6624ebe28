/** A job and its card as one value, and the small steps by which answers move them. Pure. */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { AppSetAsideCode, SetAside } from '../../protocol/set-aside.ts';
import type { CardState } from './card-state.ts';
import type { Draft } from './draft.ts';
import type { JobState, Scratch } from './state.ts';

/** A job and what is known of its card: what answers teach and what the next commands change is a new value of it. */
export interface JobOnCard {
  readonly job: JobState;
  readonly card: CardState;
}

/** Commands of one plan step, and job and card as they are once these are out. */
export interface NextCommands {
  readonly drafts: readonly Draft[];
  readonly next: JobOnCard;
}

/** Whether the card has shown in this job that it is there. Of types without a security domain none can: their stations are believed. */
export function isShown({ held }: Pick<JobState, 'held'>, { securityDomain }: CardTypeProfile): boolean {
  return held || securityDomain === undefined;
}

/** Keeps what an answer gave for the next commands. */
export function remember(now: JobOnCard, found: Partial<Scratch>): JobOnCard {
  return { ...now, job: { ...now.job, scratch: { ...now.job.scratch, ...found } } };
}

/** Changes the progress of one wished app. */
export function progress(now: JobOnCard, app: string, change: Partial<JobState['apps'][string]>): JobOnCard {
  const before = now.job.apps[app];
  if (before === undefined) return now;
  return { ...now, job: { ...now.job, apps: { ...now.job.apps, [app]: { ...before, ...change } } } };
}

/** The app fails with `code`, the first error wins; other apps go on. */
export function failApp(now: JobOnCard, app: string, code: ErrorCode): JobOnCard {
  return now.job.apps[app]?.error == null ? progress(now, app, { error: code }) : now;
}

/** The whole job fails with `code`, the first error wins: nothing more is sent to the card. */
export function failJob(now: JobOnCard, code: ErrorCode): JobOnCard {
  return { ...now, job: { ...now.job, error: now.job.error ?? code } };
}

/** Every app that the plan's step is about fails; without apps, the job. */
export function failStep(now: JobOnCard, step: number, code: ErrorCode): JobOnCard {
  const planned = now.job.steps[step];
  if (planned === undefined) return now;
  if (planned.kind === 'domain-keys') return failJob(now, code);
  // Its app has failed already; what is left behind stays in doubt, and the next job on the card removes it.
  if (planned.kind === 'clean') return giveUpCleaning(now, planned.leftover);
  // That it is on the card says nothing here: the step is there because it is to be enabled or renewed.
  if ('app' in planned) return failApp(now, planned.app, code);
  return [...planned.loads, ...planned.deletes]
    .filter((app) => !isFinished(now.job, app))
    .reduce((failed, app) => failApp(failed, app, code), now);
}

const MOST_CLEANINGS = 2;

/** What the load of an app may have left on the card is to be removed in this job, because it is certain to be there or a step waits for it. */
export function clean(now: JobOnCard, app: string): JobOnCard {
  const isPlanned = now.job.steps.some((step) => step.kind === 'clean' && step.leftover === app);
  if (isPlanned) return now;
  return { ...now, job: { ...now.job, steps: [...now.job.steps, { kind: 'clean', leftover: app }] } };
}

/** The card does not let go of what was left behind: not tried again in this job. */
export function giveUpCleaning(now: JobOnCard, app: string): JobOnCard {
  return progress(now, app, { cleanings: MOST_CLEANINGS + 1 });
}

/** Nothing is left behind any more, or it could not be removed. */
export function isClean({ job, card }: JobOnCard, app: string): boolean {
  const cleanings = job.apps[app]?.cleanings ?? MOST_CLEANINGS + 1;
  return card.apps[app]?.inDoubt !== true || cleanings > MOST_CLEANINGS;
}

/** Whether nothing remains to be done for the app in a content step. */
export function isFinished(job: JobState, app: string): boolean {
  const one = job.apps[app];
  if (one === undefined || one.error !== null) return true;
  return (one.action === 'delete') === (one.after === 'missing') && !one.contentInDoubt;
}

/** This job changed the app on the card, or may have. */
export function touch(now: JobOnCard, app: string): JobOnCard {
  return progress(now, app, { touched: true });
}

/** The card may not be issued any further, for a reason that is no app's. */
export function setCardAside(now: JobOnCard, reason: SetAside): JobOnCard {
  const failed = failJob(now, 'card-set-aside');
  return { ...failed, job: { ...failed.job, setAside: failed.job.setAside ?? reason } };
}

/** The card may not be issued any further; a supervisor reads the reason. */
export function setAside(now: JobOnCard, app: string, code: AppSetAsideCode): JobOnCard {
  const failed = failApp(now, app, 'card-set-aside');
  return { ...failed, job: { ...failed.job, setAside: failed.job.setAside ?? { code, app } } };
}

const MOST_ATTEMPTS = 3;

/** Starts the app again from SELECT, a bounded number of times. */
export function beginAgain(now: JobOnCard, app: string): JobOnCard {
  const attempts = (now.job.apps[app]?.attempts ?? 0) + 1;
  const counted = progress(now, app, { attempts });
  return attempts >= MOST_ATTEMPTS ? failApp(counted, app, 'card-refused-command') : counted;
}
