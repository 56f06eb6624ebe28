/** Runs one batch of the server's commands on the card of its epoch (design §3). The effects are ports. */
import { fromHex, toHex } from '../../card/bytes.ts';
import { type CardConnection, CardError, type CardFault } from '../../card/reader-port.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { meets } from '../../protocol/expectation.ts';
import type { Batch, Command, Label } from '../../protocol/wire.ts';
import { exchange } from '../readers/transport.ts';

interface BatchPorts {
  readonly card: Pick<CardConnection, 'transmit'>;
  /** Notes on disk, synced, that the command at `index` is about to be sent. @throws KaikaError station-disk-full */
  readonly noteEffect: (index: number) => void;
  /** Told before each command: where the job is, and whether this one changes the card. */
  readonly onCommand?: (index: number, label: Label, effect: boolean) => void;
  /** Told after each answer. */
  readonly onAnswer?: (index: number, label: Label, statusWord: string) => void;
}

/** What came back. `stoppedAt` and `reached` as in `answersRequestSchema`; `fault` says why there is no answer. */
export interface BatchResult {
  readonly answers: readonly string[];
  readonly stoppedAt?: number;
  readonly reached?: boolean;
  readonly fault?:
    | { readonly kind: 'card'; readonly card: CardFault; readonly detail: string }
    | { readonly kind: 'disk' };
}

/** Sends the commands in order until one is not answered acceptably. Card and disk faults are results, not throws. */
export async function runBatch(batch: Batch, ports: BatchPorts): Promise<BatchResult> {
  const answers: string[] = [];
  for (const [index, command] of batch.commands.entries()) {
    const effect = command.effect === true;
    if (effect) {
      try {
        ports.noteEffect(index);
      } catch (error) {
        if (error instanceof KaikaError && error.code === 'station-disk-full') {
          return { answers, stoppedAt: index, reached: false, fault: { kind: 'disk' } };
        }
        throw error;
      }
    }
    ports.onCommand?.(index, command.label, effect);
    let answer: string;
    try {
      const previous = batch.commands[index - 1];
      answer = toHex(
        await exchange(ports.card, fromHex(command.apdu), { repeatable: isRepeatable(command, previous) }),
      );
    } catch (error) {
      // Whatever a driver throws: the answers so far must not be lost.
      const known = error instanceof CardError ? error : new CardError('communication', 'unexpected error');
      const fault = { kind: 'card', card: known.fault, detail: known.detail } as const;
      return { answers, stoppedAt: index, reached: mayHaveReached(known.fault), fault };
    }
    ports.onAnswer?.(index, command.label, answer.slice(-4));
    answers.push(answer);
    if (!accepts(command, answer)) return { answers, stoppedAt: index };
  }
  return { answers };
}

/**
 * A command that changes the card, or uses a challenge up, is sent once: after 6Cxx its second copy would meet another
 * state. (Commands with a MAC are refused by `exchange` itself.)
 */
function isRepeatable(command: Command, previous: Command | undefined): boolean {
  return command.effect !== true && previous?.label.step !== 'challenge';
}

/** Whether the batch may go on after this answer: its status word is accepted and its data match. */
export function accepts(command: Command, answer: string): boolean {
  const statusWord = answer.slice(-4);
  if (!command.accept.some((prefix) => statusWord.startsWith(prefix))) return false;
  return meets(command.expect, fromHex(answer.slice(0, -4)));
}

/** Faults found before the command left: no card to send it to. All others leave open whether it arrived. */
function mayHaveReached(fault: CardFault): boolean {
  return fault !== 'card-absent' && fault !== 'card-held' && fault !== 'card-mute';
}
