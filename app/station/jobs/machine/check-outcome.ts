/**
 * Whether a plan and an outcome may be shown and kept: they are the server's words, and must be about this card and these wishes, must not
 * contradict themselves, and must not tell of work that was not done. Pure.
 */
import { RESERVED_APP_ID } from '../../../catalogue/schema.ts';
import type { Outcome, PlanSummary } from '../../../protocol/wire.ts';
import type { Breach } from './check-batch.ts';
import { type JobRules, stateOf, wishes } from './rules.ts';
import type { Watch } from './watch.ts';

const PLAN: Breach = { code: 'server-reply-refused', rule: 'plan' };
const OUTCOME: Breach = { code: 'server-reply-refused', rule: 'outcome' };

export function checkPlan(plan: PlanSummary, rules: JobRules): Breach | undefined {
  const fits = plan.steps.every((step) => isForWish(step, rules));
  return fits && plan.trips <= rules.most.batches ? undefined : PLAN;
}

function isForWish({ kind, app }: PlanSummary['steps'][number], rules: JobRules): boolean {
  switch (kind) {
    case 'enable':
    case 'load':
      return wishes(rules, 'enable', app);
    case 'delete':
      return wishes(rules, 'delete', app);
    case 'renew':
      return stateOf(rules, app) === 'enabled' && !wishes(rules, 'delete', app);
  }
}

export function checkOutcome(outcome: Outcome, watch: Watch, rules: JobRules): Breach | undefined {
  const { card, apps, deleted, result } = outcome;
  const told = apps.map(({ app }) => app);
  const all = [...told, ...deleted];
  const fits =
    card === rules.card &&
    new Set(all).size === all.length &&
    deleted.every((app) => wishes(rules, 'delete', app)) &&
    told.every((app) => isWished(rules, app) || stateOf(rules, app) === 'enabled') &&
    rules.wishes.every(({ app, action }) => action === 'delete' || told.includes(app)) &&
    (result !== 'complete' || isComplete(outcome, watch, rules));
  return fits ? undefined : OUTCOME;
}

function isWished(rules: JobRules, app: string): boolean {
  return rules.wishes.some((wish) => wish.app === app);
}

/** "All is done" is about every wish; and where the look showed work to do for one, the card must have taken some of it. */
function isComplete({ apps, deleted, error }: Outcome, watch: Watch, rules: JobRules): boolean {
  return (
    error === undefined &&
    rules.wishes.every(({ app, action }) => {
      const told = apps.find((one) => one.app === app);
      const before = stateOf(rules, app);
      return action === 'enable'
        ? told?.after === 'enabled' &&
            told.error === undefined &&
            (before === 'enabled' || didWork(watch, app))
        : told === undefined &&
            (before === 'missing' || (deleted.includes(app) && didWork(watch, RESERVED_APP_ID)));
    })
  );
}

function didWork({ worked, resumed }: Watch, where: string): boolean {
  return resumed || worked.includes(where);
}
