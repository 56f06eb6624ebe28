/** How far a job is, app by app in percent, and how long it still takes. Pure; the time is given in. */
import type { CatalogueView, JobView, StepView } from '../../electron/ipc-schema.ts';

export interface Meter {
  /** Of each step of the plan, 0 to 100; never goes back while the job runs on. */
  readonly percents: readonly number[];
  /** The running step: which, since when and from how many percent on. */
  readonly running: { readonly step: number; readonly since: number; readonly from: number } | null;
  /** Milliseconds the running step still takes; null while that cannot be told or it is a matter of moments. */
  readonly remaining: number | null;
}

/** Percent of enabling that is done when this command is about to be sent. Commands that are not listed do not move the bar. */
const ENABLING: Readonly<Record<string, number>> = {
  authenticate: 20,
  'write-maintenance-key': 45,
  'write-master-control-key': 65,
  'write-enabled-flag': 85,
};
/** The same for deleting. */
const DELETING: Readonly<Record<string, number>> = {
  'read-balance': 20,
  'delete-app': 60,
  'remove-package': 80,
};
/** Steps that take longer than this in all, in milliseconds, show the time left. */
const LONG_STEP = 10_000;
/** Milliseconds and percent that a step must have gone on for before the time left is told: an earlier guess would jump about. */
const ENOUGH_TIME = 1_200;
const ENOUGH_PERCENT = 4;

/** The meter after the job's newest view. `now` in milliseconds of any clock. */
export function metered(
  before: Meter | undefined,
  job: JobView,
  catalogue: CatalogueView,
  now: number,
): Meter {
  const { steps } = job.progress;
  if (job.state.kind === 'waiting-for-card') {
    const percents = steps.map((step) => (step.state === 'done' ? 100 : 0));
    return { percents, running: null, remaining: null };
  }
  const known = before?.percents.length === steps.length ? before.percents : [];
  const percents = steps.map((step, at) => Math.max(known[at] ?? 0, percentOf(job, step, at, catalogue)));
  const at = steps.findIndex((step) => step.state === 'running');
  const percent = percents[at];
  if (percent === undefined) return { percents, running: null, remaining: null };
  const running = before?.running?.step === at ? before.running : { step: at, since: now, from: percent };
  return { percents, running, remaining: remainingOf(running, percent, now) };
}

function percentOf(job: JobView, step: StepView, at: number, catalogue: CatalogueView): number {
  if (step.state === 'done') return 100;
  if (step.state !== 'running') return 0;
  const { current } = job.progress;
  if (step.kind === 'load') return loadPercent(job, at, catalogue);
  if (current === null || current.app !== step.app) return 0;
  return (step.kind === 'delete' ? DELETING : ENABLING)[current.step] ?? 0;
}

/** All loads are sent in one batch. Which of its commands belong to which app is reckoned from the apps' sizes. */
function loadPercent(job: JobView, at: number, catalogue: CatalogueView): number {
  const { steps, sent, commands } = job.progress;
  if (commands === 0) return 0;
  const size = (app: string) => catalogue.apps.find((one) => one.id === app)?.size ?? 1;
  const loads = steps.map((step, place) => ({ step, place })).filter(({ step }) => step.kind === 'load');
  const whole = loads.reduce((sum, { step }) => sum + size(step.app), 0);
  const ahead = loads.filter(({ place }) => place < at).reduce((sum, { step }) => sum + size(step.app), 0);
  const own = size(steps[at]?.app ?? '');
  const share = ((sent / commands) * whole - ahead) / own;
  return Math.round(100 * Math.min(0.99, Math.max(0, share)));
}

function remainingOf(running: { since: number; from: number }, percent: number, now: number): number | null {
  const elapsed = now - running.since;
  const gone = percent - running.from;
  if (elapsed < ENOUGH_TIME || gone < ENOUGH_PERCENT) return null;
  const remaining = (elapsed / gone) * (100 - percent);
  return elapsed + remaining > LONG_STEP ? remaining : null;
}

/** One app of a job with everything that is done to it, in the plan's order. */
export interface AppProgress {
  readonly app: string;
  /** What is being done to it now, or was done to it last. */
  readonly kind: StepView['kind'];
  readonly state: StepView['state'];
  /** 0 to 100, over its steps. */
  readonly percent: number;
}

/** How much of an app's bar each kind of step takes: of loading and enabling, loading takes most of the time. */
const WEIGHT: Readonly<Record<StepView['kind'], number>> = { load: 3, enable: 1, delete: 1, renew: 1 };

export function appsOf(steps: readonly StepView[], percents: readonly number[]): AppProgress[] {
  const apps = [...new Set(steps.map((step) => step.app))];
  return apps.map((app) => {
    const own = steps.flatMap((step, at) => (step.app === app ? [{ step, percent: percents[at] ?? 0 }] : []));
    const weight = own.reduce((sum, { step }) => sum + WEIGHT[step.kind], 0);
    const percent = own.reduce((sum, one) => sum + WEIGHT[one.step.kind] * one.percent, 0) / weight;
    const states = own.map(({ step }) => step.state);
    const now =
      own.find(({ step }) => step.state === 'running') ?? own.find(({ step }) => step.state !== 'done');
    const kind = (now ?? own.at(-1))?.step.kind ?? 'enable';
    return { app, kind, state: together(states), percent: Math.round(percent) };
  });
}

function together(states: readonly StepView['state'][]): StepView['state'] {
  if (states.includes('failed')) return 'failed';
  if (states.includes('running')) return 'running';
  return states.every((state) => state === 'done') ? 'done' : 'waiting';
}
