/** The answer to a command of an app: read by the app's dialect. */

import type { AppMeaning } from '../../dialects/dialect.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import type { Fate } from '../../dialects/fate.ts';
import { type CardTypeFacts, changed, findRule, glanceAt } from './app-work.ts';
import { failApp, type JobOnCard, touch } from './progress.ts';
import type { Sent } from './state.ts';

/**
 * An app that the card's type no longer carries fails: nothing here can read its answer, so what was in doubt of it stays in doubt.
 * @throws Error for a command of a plan step that is no app's: none is built
 */
export function absorbApp(
  now: JobOnCard,
  { step: at }: Sent,
  means: AppMeaning,
  fate: Fate,
  facts: CardTypeFacts,
): JobOnCard {
  const step = now.job.steps[at];
  if (step === undefined || !('app' in step)) throw new Error('a command of an app in a step that is none');
  const { app } = step;
  const rule = findRule(facts, app);
  if (rule === undefined) {
    const failed = failApp(now, app, 'app-not-for-this-card');
    return mayHaveChanged(now, app, fate) ? touch(failed, app) : failed;
  }
  return changed(now, at, app, issuingOf(rule).absorb(glanceAt(now, at, step, facts), means, fate));
}

/** A write is noted as possible before it goes out: without such a note the command only read. */
function mayHaveChanged({ job, card }: JobOnCard, app: string, fate: Fate): boolean {
  if (fate.kind !== 'ok' && fate.kind !== 'unknown') return false;
  const slots = Object.values(card.apps[app]?.keys ?? {});
  return job.apps[app]?.flagInDoubt === true || slots.some(({ candidates }) => candidates.length > 1);
}
