/**
 * Whether a batch may be run, asked before any byte of it goes to the card: a server that was taken over must not be able to lock or to spoil
 * a card. Refused is the whole batch. Pure.
 */
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { Batch } from '../../../protocol/wire.ts';
import { type JobRules, wishes } from './rules.ts';
import { acceptsSuccessOnly, attempted, bytesOf, type Seen, see, triesLeft, type Watch } from './watch.ts';

/** A rule that was broken: what staff are told, and for the log which rule it was, and by which command of the batch. */
export interface Breach {
  readonly code: Extract<ErrorCode, 'server-reply-refused' | 'last-try-kept'>;
  readonly rule:
    | 'not-a-command-of-this-card'
    | 'label-says-otherwise'
    | 'for-no-wish'
    | 'effect-not-marked'
    | 'second-authentication'
    | 'goes-on-after-failure'
    | 'outside-a-channel'
    | 'too-many-openings'
    | 'too-many-attempts'
    | 'last-try'
    | 'too-many-batches'
    | 'too-many-bytes'
    | 'plan'
    | 'outcome';
  readonly index?: number;
}

/** A channel of each of the two sets of keys while they change. */
const MOST_OPENINGS = 2;

/** Undefined when all is well. `watch`: what is known of the card as the batch will find it. */
export function checkBatch(batch: Batch, watch: Watch, rules: JobRules): Breach | undefined {
  if (watch.batches >= rules.most.batches) return refused('too-many-batches');
  if (watch.bytes + bytesOf(batch) > rules.most.bytes) return refused('too-many-bytes');
  let selected = watch.selected;
  let attempts = 0;
  let openings = 0;
  /** Where a channel was opened in this batch. */
  let channel: string | undefined;
  for (const [index, command] of batch.commands.entries()) {
    const seen = see(command, selected, rules);
    const rule = ofCommand(seen, rules);
    if (rule !== undefined) return refused(rule, index);
    if (seen.selects || seen.kind?.kind === 'opening') channel = undefined;
    selected = seen.selected;
    switch (seen.kind?.kind) {
      case 'opening':
        openings += 1;
        if (openings > MOST_OPENINGS) return refused('too-many-openings', index);
        break;
      case 'attempt': {
        attempts += 1;
        if (attempts > 1) return refused('second-authentication', index);
        const breach = ofAttempt(seen, watch, rules, index);
        if (breach !== undefined) return breach;
        channel = seen.target?.name;
        break;
      }
      case 'change':
        if (seen.kind.inChannel && channel !== seen.target?.name) return refused('outside-a-channel', index);
        break;
      case 'read':
      case undefined:
        break;
    }
  }
  return undefined;
}

/** One command by itself: it is one that the card's type has, it is what its label says, and it is for something that is wished. */
function ofCommand(seen: Seen, rules: JobRules): Breach['rule'] | undefined {
  const { command, kind, target } = seen;
  if (kind === undefined) return 'not-a-command-of-this-card';
  const { step, app } = command.label;
  if (!kind.steps.includes(step)) return 'label-says-otherwise';
  if (app !== undefined && target !== undefined && target !== rules.domain && app !== target.name)
    return 'label-says-otherwise';
  if ((kind.kind === 'attempt' || kind.kind === 'change') && command.effect !== true)
    return 'effect-not-marked';
  switch (step) {
    case 'delete-app':
      return app !== undefined && wishes(rules, 'delete', app) ? undefined : 'for-no-wish';
    case 'announce-load':
    case 'load-block':
    case 'install-app':
      return app !== undefined && wishes(rules, 'enable', app) ? undefined : 'for-no-wish';
    default:
      return undefined;
  }
}

function ofAttempt(seen: Seen, watch: Watch, rules: JobRules, index: number): Breach | undefined {
  const key = attempted(seen);
  if (key === undefined || seen.kind?.kind !== 'attempt') return refused('not-a-command-of-this-card', index);
  if (!acceptsSuccessOnly(seen.command)) return refused('goes-on-after-failure', index);
  if ((watch.attempts[key] ?? 0) >= rules.most.attempts) return refused('too-many-attempts', index);
  return triesLeft(watch, key, seen.kind) > rules.kept
    ? undefined
    : { code: 'last-try-kept', rule: 'last-try', index };
}

function refused(rule: Breach['rule'], index?: number): Breach {
  return { code: 'server-reply-refused', rule, ...(index === undefined ? {} : { index }) };
}
