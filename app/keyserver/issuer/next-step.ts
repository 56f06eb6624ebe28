/** Which plan step comes next. Pure. */
import type { JobOnCard } from './progress.ts';

/** The plan step behind the one under way: apps that failed already are passed over. */
export function nextStep(now: JobOnCard): number {
  const { steps, apps, at } = now.job;
  const next = steps.findIndex((step, i) => i > at && (!('app' in step) || apps[step.app]?.error === null));
  return next === -1 ? steps.length : next;
}
