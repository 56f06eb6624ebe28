/**
 * Between the issuer and the dialect of an app: what the dialect is shown of job and card, and what its answers and intentions mean for them.
 * Pure.
 */
import { type Aid, toAid } from '../../card/aid.ts';
import {
  type AppChange,
  type AppCommand,
  type AppGlance,
  type AppRule,
  issuingOf,
} from '../../dialects/dialect.ts';
import { type CardState, withApp } from './card-state.ts';
import { type Draft, type DraftOptions, draft } from './draft.ts';
import type { IssuerPorts } from './ports.ts';
import { beginAgain, failApp, type JobOnCard, progress, remember, setAside, touch } from './progress.ts';
import type { AppStep, JobState } from './state.ts';

/** The facts of card type and catalogue that answers are read with. */
export type CardTypeFacts = Pick<IssuerPorts, 'profile' | 'app'>;

/** How the app is enabled on cards of this type; undefined when the card's type does not carry it, or no longer. */
export function findRule({ profile }: Pick<CardTypeFacts, 'profile'>, app: string): AppRule | undefined {
  return Object.hasOwn(profile.apps, app) ? profile.apps[app] : undefined;
}

/** The same where a job was planned with it. @throws Error when the card's type does not carry it */
export function ruleOf(facts: Pick<CardTypeFacts, 'profile'>, app: string): AppRule {
  const rule = findRule(facts, app);
  if (rule === undefined) throw new Error(`profile ${facts.profile.id} has no app ${app}`);
  return rule;
}

/** The manufacturer's keys of an app that was just installed; undefined when nothing says any more which these are. */
export function transportKeysOf(now: JobOnCard, app: string, facts: CardTypeFacts) {
  const { identification, account } = now.job;
  const rule = findRule(facts, app);
  return rule && issuingOf(rule).keys.transport({ identification, account });
}

/** What the dialect is shown of the app of plan step `at`. */
export function glanceAt(now: JobOnCard, at: number, step: AppStep, facts: CardTypeFacts): AppGlance {
  const { job, card } = now;
  const { app, kind } = step;
  return {
    app,
    goal: kind,
    instanceAid: aidOf(facts, app),
    keys: card.apps[app]?.keys ?? null,
    targets: job.targets[app] ?? {},
    notes: job.scratch.app?.step === at ? job.scratch.app.notes : {},
    flagInDoubt: job.apps[app]?.flagInDoubt === true,
    account: job.account,
  };
}

function aidOf({ app }: CardTypeFacts, id: string): Aid {
  return toAid(app(id).instanceAid);
}

/** Commands of a dialect as commands of plan step `at`. */
export function appDrafts(at: number, app: string, commands: readonly AppCommand[]): Draft[] {
  return commands.map(({ name, command, meaning, accept, expect, effect }) => {
    const options: DraftOptions = {
      app,
      ...(accept === undefined ? {} : { accept }),
      ...(expect === undefined ? {} : { expect }),
      ...(effect === undefined ? {} : { effect }),
    };
    return draft(at, name, command, { kind: 'app', means: meaning }, options);
  });
}

/** Job and card with what the dialect says of the app of plan step `at`. */
export function changed(now: JobOnCard, at: number, app: string, change: AppChange): JobOnCard {
  const { keys, notes, flagInDoubt } = change;
  let next = now;
  if (keys !== undefined)
    next = { ...next, card: withApp(next.card, app, (before) => ({ ...before, keys })) };
  if (notes !== undefined) next = remember(next, { app: { step: at, notes } });
  if (flagInDoubt !== undefined) next = progress(next, app, { flagInDoubt });
  if (change.accepted === true) next = progress(next, app, { said: 'accepted' });
  if (change.touched === true) next = touch(next, app);
  if (change.enabled === true) next = enabled(next, at, app);
  if (change.setAside !== undefined) next = setAside(next, app, change.setAside);
  if (change.fails !== undefined) next = failApp(next, app, change.fails);
  return change.beginAgain === true ? beginAgain(next, app) : next;
}

/** The card said that the app is enabled, last of all: the plan goes on behind it. */
function enabled(now: JobOnCard, at: number, app: string): JobOnCard {
  const card: CardState = withApp(now.card, app, (before) => ({ ...before, state: 'enabled' }));
  const done = progress({ ...now, card }, app, { after: 'enabled' });
  const job: JobState = { ...done.job, at: Math.max(done.job.at, at + 1) };
  return { ...done, job };
}
