/**
 * What the station itself knows of a job's card while the job runs: what is selected, and what was spent. It is taken from commands that went
 * out and from answers that came, never from what the server says of them. Pure.
 */
import { type CommandApdu, decodeCommand } from '../../../card/apdu.ts';
import { fromHex, toHex } from '../../../card/bytes.ts';
import { type Attempt, type CommandKind, reads } from '../../../protocol/command-kind.ts';
import type { AnswersRequest, Batch, Command } from '../../../protocol/wire.ts';
import type { Report } from './phases.ts';
import type { JobRules, Target } from './rules.ts';

/** Tries that a key has lost since it was last right, by the key's full name (`keyName`). */
export type TriesLost = Readonly<Record<string, number>>;

export interface Watch {
  /** What the card has selected; null where that is not certain. */
  readonly selected: string | null;
  readonly batches: number;
  readonly bytes: number;
  /** Attempts of this job, by key. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly lost: TriesLost;
  /** Where this job did something: apps, or the domain, that took a command that is no reading. */
  readonly worked: readonly string[];
  /** An earlier run of the program began the job: what it did is not known here. */
  readonly resumed: boolean;
}

/** A job that begins, or one that an earlier run of the program left: then its card was reset. */
export function watching(rules: JobRules, lost: TriesLost, resumed: boolean): Watch {
  return {
    selected: resumed ? null : rules.opened,
    batches: 0,
    bytes: 0,
    attempts: {},
    lost,
    worked: [],
    resumed,
  };
}

/** The card was reset or went: nothing is selected any more. */
export function afterReset(watch: Watch): Watch {
  return { ...watch, selected: null };
}

/** A key, told from those of other apps. */
export function keyName(target: string, key: string): string {
  return `${target}/${key}`;
}

/** A command with what it is, and what is selected when the card has taken it. */
export interface Seen {
  readonly command: Command;
  readonly kind: CommandKind | undefined;
  readonly target: Target | undefined;
  /** Selected behind it, if it is answered as it should be. */
  readonly selected: string | null;
  /** It is a SELECT: a channel that was open is over. */
  readonly selects: boolean;
}

const SUCCESS = /^9000?$|^61/;

/** Whether the batch goes on only where the command was a success. */
export function acceptsSuccessOnly({ accept }: Command): boolean {
  return accept.every((prefix) => SUCCESS.test(prefix));
}

/** One command of a batch, where `selected` is selected before it. */
export function see(command: Command, selected: string | null, rules: JobRules): Seen {
  const target = selected === null ? undefined : named(rules, selected);
  const apdu = decoded(command.apdu);
  const seen = { command, target, selected, selects: false };
  if (apdu === undefined) return { ...seen, kind: undefined };
  if (apdu.cla === 0x00 && apdu.ins === 0xa4) return { ...seen, ...selection(command, apdu, rules) };
  return { ...seen, kind: target === undefined ? outside(apdu) : target.kindOf(apdu) };
}

/** Undefined for bytes that are no short command for the basic channel. */
function decoded(hex: string): CommandApdu | undefined {
  try {
    const apdu = decodeCommand(fromHex(hex));
    return (apdu.le ?? 0) > 256 ? undefined : apdu;
  } catch {
    return undefined;
  }
}

/** Of a selection that may fail, or of what the catalogue does not have, it is not known what is selected afterwards. */
function selection(
  command: Command,
  { p1, p2, data }: CommandApdu,
  rules: JobRules,
): Pick<Seen, 'kind' | 'target' | 'selected'> {
  if (p2 !== 0) return { kind: undefined, target: undefined, selected: null };
  if (p1 === 0x00) return { kind: reads('identify-card'), target: undefined, selected: null };
  if (p1 !== 0x04) return { kind: undefined, target: undefined, selected: null };
  const target = data === undefined ? rules.domain : rules.targets.get(toHex(data));
  if (target === undefined) return { kind: undefined, target, selected: null };
  const step = target === rules.domain ? 'select-security-domain' : 'select-app';
  return { kind: reads(step), target, selected: acceptsSuccessOnly(command) ? target.name : null };
}

/** Where nothing certain is selected, only what anybody may read is read. */
function outside({ cla, ins, data }: CommandApdu): CommandKind | undefined {
  const header = (cla << 8) | ins;
  return (header === 0x00b0 || header === 0x80ca) && data === undefined
    ? reads('identify-card', 'read-memory')
    : undefined;
}

function named(rules: JobRules, name: string): Target | undefined {
  return [...rules.targets.values()].find((target) => target.name === name);
}

/** The batch is about to be run: what may become of it counts from now on. */
export function sending(watch: Watch, batch: Batch, rules: JobRules): Watch {
  let { selected } = watch;
  const attempts = { ...watch.attempts };
  for (const command of batch.commands) {
    const seen = see(command, selected, rules);
    selected = seen.selected;
    const key = attempted(seen);
    if (key !== undefined) attempts[key] = (attempts[key] ?? 0) + 1;
  }
  return {
    ...watch,
    attempts,
    batches: watch.batches + 1,
    bytes: watch.bytes + bytesOf(batch),
  };
}

/** The batch has stopped or is through. */
export function ranBatch(
  watch: Watch,
  batch: Batch,
  report: Pick<AnswersRequest, 'answers' | 'stoppedAt'> | Report,
  rules: JobRules,
): Watch {
  let selected = watch.selected;
  let { lost } = watch;
  const worked = new Set(watch.worked);
  for (const [index, command] of batch.commands.entries()) {
    const answer = report.answers[index];
    if (answer === undefined) break;
    const seen = see(command, selected, rules);
    const sw = Number.parseInt(answer.slice(-4), 16);
    selected = index === report.stoppedAt && seen.selected !== selected ? null : seen.selected;
    lost = triesAfter(lost, seen, sw);
    const acts = seen.kind?.kind === 'attempt' || seen.kind?.kind === 'change';
    if (acts && isSuccess(sw) && seen.target !== undefined) worked.add(seen.target.name);
  }
  return { ...watch, selected, lost, worked: [...worked] };
}

/** What an attempt's answer says of the key's tries; the same value where it was none. */
export function triesAfter(lost: TriesLost, seen: Seen, sw: number): TriesLost {
  const key = attempted(seen);
  if (key === undefined || seen.kind?.kind !== 'attempt') return lost;
  const { tries } = seen.kind;
  const before = lost[key] ?? 0;
  const now = isSuccess(sw) ? 0 : tries - seen.kind.left(sw, tries - before);
  return now === before ? lost : { ...lost, [key]: now };
}

function isSuccess(sw: number): boolean {
  return sw === 0x9000 || sw >> 8 === 0x61;
}

/** The full name of the key that a command tries; undefined for one that tries none. */
export function attempted({ kind, target }: Seen): string | undefined {
  return kind?.kind === 'attempt' && target !== undefined ? keyName(target.name, kind.key) : undefined;
}

/** Tries of the key that are left before this attempt. */
export function triesLeft(watch: Pick<Watch, 'lost'>, key: string, { tries }: Attempt): number {
  return tries - (watch.lost[key] ?? 0);
}

export function bytesOf({ commands }: Batch): number {
  return commands.reduce((sum, { apdu }) => sum + apdu.length / 2, 0);
}
