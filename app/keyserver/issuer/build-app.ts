/** Work on one app: enabling it, or moving its keys. How that goes is the dialect's; where it stands in the plan is ours. */

import type { AppWork } from '../../dialects/dialect.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import { cardKeyRef } from '../../dialects/keys.ts';
import { appDrafts, changed, glanceAt } from './app-work.ts';
import { leavesNoRoom } from './ground.ts';
import { headOf, presenceOf, showsFirst } from './heads.ts';
import { nextStep } from './next-step.ts';
import type { IssuerPorts } from './ports.ts';
import { failApp, type JobOnCard, type NextCommands } from './progress.ts';
import type { AppStep } from './state.ts';

/** The next commands for the app of `step`, which is under way; none when it cannot go on (its error is in `next`). */
export async function buildApp(now: JobOnCard, step: AppStep, ports: IssuerPorts): Promise<NextCommands> {
  const { app } = step;
  const at = now.job.at;
  const rule = ports.profile.apps[app];
  const glance = glanceAt(now, at, step, ports);
  const { keys } = glance;
  if (rule === undefined || keys === null || now.job.targets[app] === undefined)
    return { drafts: [], next: failApp(now, app, 'app-not-for-this-card') };
  if (showsFirst(now, app, ports)) return { drafts: headOf(now, at, ports), next: now };
  if (leavesNoRoom(now, app, ports)) {
    if (presenceOf(now, ports) !== 'not-yet')
      return { drafts: [], next: failApp(now, app, 'card-answer-unproven') };
    const next = { ...now, job: { ...now.job, scratch: {} } };
    return { drafts: headOf(next, at, ports), next };
  }
  const work: AppWork = { ...glance, keys, presence: presenceOf(now, ports) };
  const batch = await issuingOf(rule).build(work, {
    keys: { ref: (role, key) => cardKeyRef(app, role, key), ask: ports.ask },
    dates: ports.dates,
  });
  if (batch === 'from-head') return { drafts: headOf(now, at, ports), next: now };
  if (batch === 'show-first') {
    // Selecting the domain ends what the card has let this job do with the app: the work begins again.
    const next = { ...now, job: { ...now.job, scratch: {} } };
    return { drafts: headOf(next, at, ports), next };
  }
  const next = changed(now, at, app, batch.change);
  const behind = batch.last && batch.commands.length > 0 ? headOf(next, nextStep(next), ports) : [];
  return { drafts: [...appDrafts(at, app, batch.commands), ...behind], next };
}
