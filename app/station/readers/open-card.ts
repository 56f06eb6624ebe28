/** One open connection to a card, and the look at it. */
import { type CardConnection, CardError } from '../../card/reader-port.ts';
import type { Catalogue } from '../../catalogue/schema.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { Clock } from '../ports.ts';
import type { CardLink } from './card-link.ts';
import { type CardLook, lookAtCard } from './look.ts';
import { codeOfCardFault } from './machine/card-faults.ts';
import type { ReaderEvent } from './machine/states.ts';

/** The connection, and what a job is given of it. */
export interface Open {
  readonly connection: CardConnection;
  readonly link: CardLink;
}

/**
 * Looks at the card inside a transaction, after a reset where it may still be open from before. `seen` is told as soon as everything is
 * known that staff see.
 * @throws CardError
 */
export async function readCard(
  { connection, link }: Open,
  { catalogue, clock }: { readonly catalogue: Catalogue; readonly clock: Clock },
  reset: boolean,
  seen: (look: CardLook) => void,
): Promise<CardLook> {
  if (reset) await connection.reset();
  await connection.beginTransaction();
  try {
    const card = { transmit: (command: Uint8Array) => link.transmit(command), atr: connection.atr };
    return await lookAtCard(card, catalogue, clock.monotonic, seen);
  } finally {
    await endQuietly(connection);
  }
}

/** Why a job was not begun, with a code of ours. */
export function asRefusal(error: unknown): KaikaError {
  if (error instanceof KaikaError) return error;
  return new KaikaError(error instanceof CardError ? codeOfCardFault(error.fault) : 'internal');
}

/** What a reader is told when something it does with the card has failed. */
export function asFailure(error: unknown, anyInHand: boolean): ReaderEvent {
  const known = error instanceof CardError ? { fault: error.fault } : {};
  const detail = error instanceof CardError ? error.detail : error instanceof Error ? error.name : '';
  return { kind: 'failed', ...known, anyInHand, detail };
}

/** Ends the transaction. Where that fails the card is gone, and the transaction with it. */
export async function endQuietly(connection: CardConnection): Promise<void> {
  try {
    await connection.endTransaction();
  } catch {
    // As said above: there is nothing left to end.
  }
}
