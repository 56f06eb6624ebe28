/**
 * What a job knows of its card, and the epoch it counts in. An epoch that is bound ends when its card goes or is reset; the next one is free until the
 * card is back. A batch is run for the epoch it names, or not at all: that is what keeps the commands for one card away from the next.
 * Pure.
 */
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { CardEvent } from '../../../protocol/wire.ts';
import type { Card } from './phases.ts';

/** The card is in a reader of ours; one that was here already stays what it is. */
export function arrived(card: Card): Card {
  return card.kind === 'away' ? { kind: 'here', ...told(card) } : card;
}

/** Commands of this epoch are about to be sent. */
export function bound(card: Card): Card {
  return { kind: 'bound', ...told(card) };
}

/** The card went, was reset, or is given back. `code` says to staff why it is away. */
export function gone(card: Card, event: CardEvent, code: ErrorCode): Card {
  if (card.kind !== 'bound') return { kind: 'away', code, ...told(card) };
  // The first event stays: it is the one that ended the epoch that the server knows.
  return { kind: 'away', code, epoch: card.epoch + 1, event: card.event ?? event };
}

/** The server is being told of the event. */
export function withoutEvent(card: Card): Card {
  const { event: _, ...rest } = card;
  return rest;
}

function told({ epoch, event }: Card): { readonly epoch: number; readonly event?: CardEvent } {
  return event === undefined ? { epoch } : { epoch, event };
}
