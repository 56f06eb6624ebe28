/** How far a job is, from the plan and the labels of the commands. Pure. */
import type { Label, Outcome, PlanSummary, StepName } from '../../../protocol/wire.ts';
import type { ProgressView, StepView } from '../../views.ts';

export const NO_PROGRESS: ProgressView = { plan: null, steps: [], current: null, sent: 0, commands: 0 };

/** The progress of a job whose plan has just come. */
export function planned(plan: PlanSummary): ProgressView {
  return { ...NO_PROGRESS, plan, steps: plan.steps.map((step) => ({ ...step, state: 'waiting' })) };
}

/** A command is about to be sent. Steps the job has gone past are done. */
export function atCommand(
  progress: ProgressView,
  label: Label,
  index: number,
  commands: number,
): ProgressView {
  const kind = kindOf(label.step);
  const running = progress.steps.findIndex(
    (step) =>
      step.app === label.app && step.state !== 'done' && (kind === undefined || kind.includes(step.kind)),
  );
  const steps =
    running < 0 || progress.steps[running]?.state === 'running'
      ? progress.steps
      : progress.steps.map((step, at) => advance(step, at, running));
  return { ...progress, steps, current: label, sent: index, commands };
}

function advance(step: StepView, at: number, running: number): StepView {
  if (at === running) return { ...step, state: 'running' };
  return step.state === 'running' && at < running ? { ...step, state: 'done' } : step;
}

/** The job ended: each step as the outcome tells. */
export function concluded(progress: ProgressView, outcome: Outcome): ProgressView {
  const steps = progress.steps.map((step): StepView => {
    const app = outcome.apps.find((one) => one.app === step.app);
    const reached =
      step.kind === 'delete'
        ? outcome.deleted.includes(step.app)
        : step.kind === 'enable' || step.kind === 'renew'
          ? app?.after === 'enabled' && (step.kind === 'enable' || app.error === undefined)
          : app !== undefined && app.after !== 'missing';
    return { ...step, state: reached ? 'done' : 'failed' };
  });
  return { ...progress, steps, current: null };
}

/** Which kinds of plan steps a command belongs to; undefined where it serves all. */
function kindOf(step: StepName): readonly StepView['kind'][] | undefined {
  switch (step) {
    case 'authenticate':
    case 'write-maintenance-key':
    case 'write-master-control-key':
      return ['enable', 'renew'];
    case 'write-enabled-flag':
      return ['enable'];
    case 'remove-package':
    case 'announce-load':
    case 'load-block':
    case 'install-app':
      return ['load'];
    case 'delete-app':
    case 'read-balance':
      return ['delete'];
    case 'identify-card':
    case 'select-app':
    case 'read-state':
    case 'challenge':
    case 'select-security-domain':
    case 'open-secure-channel':
    case 'authenticate-secure-channel':
    case 'read-memory':
    case 'write-domain-keys':
    case 'remove-domain-keys':
    case 'secure-card':
    case 'read-card-state':
      return undefined;
  }
}
