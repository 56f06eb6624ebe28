/** A card that answers exactly a recorded dialogue, and nothing else. */
import { type CardDevice, PowerLost } from '../device.ts';
import { type Dialogue, DialogueError, type Pattern, parseDialogue, type Step } from './dialogue.ts';

/** Somebody left the dialogue. Says where, and never what was sent: it may be a key. */
export class ReplayError extends Error {
  /** Line of the dialogue that was to come; undefined when it had ended. */
  readonly line: number | undefined;
  constructor(line: number | undefined, reason: string) {
    super(line === undefined ? reason : `line ${line}: ${reason}`);
    this.name = 'ReplayError';
    this.line = line;
  }
}

/** A command and what follows it. */
interface Exchange {
  readonly line: number;
  readonly command: Pattern;
  /** Absent: power was lost before the answer. */
  readonly answer: Uint8Array | undefined;
  readonly isMasked: boolean;
}

/** What happened between two resets or losses of power. */
type Session = readonly Exchange[];

/**
 * The card of a dialogue. A reset or a loss of power moves on to what followed the recorded one; before the first
 * command of a session they may come as often as they like, since readers differ in that. A command that is not the
 * recorded one is refused with ReplayError, and so is everything after it. Masked bytes of a command may be any, and
 * those of an answer are given as 00.
 */
export class ReplayCard implements CardDevice {
  readonly atr: Uint8Array;
  readonly #sessions: readonly Session[];
  #session = 0;
  #next = 0;
  #powered = false;
  #failure: ReplayError | undefined;

  /** @throws DialogueError when an answer is missing, or its status word masked */
  constructor(dialogue: Dialogue) {
    this.atr = dialogue.atr;
    this.#sessions = sessionsOf(dialogue.steps);
  }

  /** A card of a dialogue's text. @throws DialogueError */
  static of(text: string): ReplayCard {
    return new ReplayCard(parseDialogue(text));
  }

  /** How many answers have 00 in place of bytes that were masked. */
  get maskedAnswers(): number {
    return this.#sessions.flat().filter(({ isMasked }) => isMasked).length;
  }

  /** How many commands there are in all. */
  get commands(): number {
    return this.#sessions.flat().length;
  }

  /** Where the dialogue was left, if it was. */
  get failure(): ReplayError | undefined {
    return this.#failure;
  }

  /** Whether every command of the dialogue was sent. */
  get isComplete(): boolean {
    const left = this.#sessions.slice(this.#session + 1).some((session) => session.length > 0);
    return this.#failure === undefined && !left && this.#next >= this.#current.length;
  }

  powerOn(): void {
    this.#cut();
    this.#powered = true;
  }

  powerOff(): void {
    this.#cut();
    this.#powered = false;
  }

  reset(): void {
    this.#cut();
  }

  async transmit(command: Uint8Array): Promise<Uint8Array> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#powered) throw new PowerLost();
    const expected = this.#current[this.#next];
    if (expected === undefined) throw this.#fail(undefined, this.#endReason());
    const difference = differenceOf(expected.command, command);
    if (difference !== undefined) throw this.#fail(expected.line, difference);
    this.#next += 1;
    if (expected.answer === undefined) {
      this.powerOff();
      throw new PowerLost();
    }
    return expected.answer.slice();
  }

  get #current(): Session {
    return this.#sessions[this.#session] ?? [];
  }

  #endReason(): string {
    const after = this.#sessions[this.#session + 1];
    return after === undefined ? 'the dialogue has ended' : 'the dialogue goes on after a reset only';
  }

  /** The end of a session, if it has begun. */
  #cut(): void {
    const expected = this.#current[this.#next];
    if (this.#next === 0) return;
    if (expected !== undefined) {
      this.#fail(expected.line, 'reset or power loss in the middle of the session');
      return;
    }
    if (this.#session + 1 < this.#sessions.length) {
      this.#session += 1;
      this.#next = 0;
    }
  }

  #fail(line: number | undefined, reason: string): ReplayError {
    this.#failure ??= new ReplayError(line, reason);
    return this.#failure;
  }
}

/** Sessions with at least one command, in order. */
function sessionsOf(steps: readonly Step[]): Session[] {
  const sessions: Exchange[][] = [[]];
  let waiting: Extract<Step, { kind: 'command' }> | undefined;
  const settle = (answer: Uint8Array | undefined, isMasked = false) => {
    if (waiting === undefined) return;
    sessions.at(-1)?.push({ line: waiting.line, command: waiting.bytes, answer, isMasked });
    waiting = undefined;
  };
  for (const step of steps) {
    if (step.kind === 'command') {
      if (waiting !== undefined) throw new DialogueError(waiting.line, 'the command has no answer');
      waiting = step;
    } else if (step.kind === 'answer') {
      if (waiting === undefined) throw new DialogueError(step.line, 'an answer to no command');
      settle(given(step.bytes, step.line), step.bytes.includes(undefined));
    } else {
      settle(undefined);
      if ((sessions.at(-1)?.length ?? 0) > 0) sessions.push([]);
    }
  }
  if (waiting !== undefined) throw new DialogueError(waiting.line, 'the command has no answer');
  return sessions.filter((session, i) => i === 0 || session.length > 0);
}

/** An answer as it is given again. */
function given(bytes: Pattern, line: number): Uint8Array {
  if (bytes.slice(-2).includes(undefined))
    throw new DialogueError(line, 'a masked status word cannot be given again');
  return Uint8Array.from(bytes, (byte) => byte ?? 0);
}

/** Where a command is not the expected one; undefined when it is. */
function differenceOf(expected: Pattern, command: Uint8Array): string | undefined {
  const at = expected.findIndex((byte, i) => byte !== undefined && byte !== command[i]);
  if (at >= 0 && at < 4) return 'another command was sent';
  if (expected.length !== command.length)
    return `the command has ${command.length} bytes in place of ${expected.length}`;
  return at < 0 ? undefined : `the command differs at byte ${at}`;
}
