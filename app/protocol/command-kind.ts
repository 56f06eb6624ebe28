/**
 * What a command does to whatever is selected, told from its header and its length alone, without any key: what a station may know of a
 * command that it only forwards. A command that nobody has a kind for is not sent. Pure.
 */
import type { StepName } from './wire.ts';

interface Common {
  /** The labels that may stand on it: what staff and the record read is what the command is. */
  readonly steps: readonly StepName[];
}

/** Changes nothing, and spends no try. */
export interface Read extends Common {
  readonly kind: 'read';
}

/** Begins a secure channel: changes nothing, but a card may count channels that were begun and never opened. */
export interface Opening extends Common {
  readonly kind: 'opening';
}

/** Changes what is selected. `inChannel`: only behind an attempt of the same batch, because what it stands in does not outlive one. */
export interface Change extends Common {
  readonly kind: 'change';
  readonly inChannel: boolean;
}

/** Shows the knowledge of a key; wrong, it spends one of that key's tries, and the last one locks for good. */
export interface Attempt extends Common {
  readonly kind: 'attempt';
  /** The key's role, unique within what is selected. */
  readonly key: string;
  /** Wrong attempts in a row that lock. */
  readonly tries: number;
  /** How many are left when an attempt with `before` left was answered with this status word. */
  left(sw: number, before: number): number;
}

export type CommandKind = Read | Opening | Change | Attempt;

export const reads = (...steps: readonly StepName[]): Read => ({ kind: 'read', steps });
