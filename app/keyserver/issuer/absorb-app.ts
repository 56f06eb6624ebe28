/** The answer to a command of an app: read by the app's dialect. */
import type { AppMeaning } from '../../dialects/dialect.ts';
import type { Fate } from '../../dialects/fate.ts';
import { type CardTypeFacts, changed, glanceAt, ruleOf } from './app-work.ts';
import type { JobOnCard } from './progress.ts';
import type { Sent } from './state.ts';

/** @throws Error for a command of a plan step that is no app's: none is built */
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
  return changed(now, at, app, ruleOf(facts, app).absorb(glanceAt(now, at, step, facts), means, fate));
}
