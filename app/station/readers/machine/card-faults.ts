/** What a fault between us and a card is to staff, and to the server. Pure. */
import type { CardFault } from '../../../card/reader-port.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { CardEvent } from '../../../protocol/wire.ts';

/** The code staff read for a fault between us and a card. */
export function codeOfCardFault(fault: CardFault): ErrorCode {
  switch (fault) {
    case 'service-missing':
      return 'pcsc-not-running';
    case 'reader-lost':
      return 'reader-lost';
    case 'card-absent':
      return 'no-card';
    case 'card-removed':
      return 'card-removed';
    case 'card-mute':
      return 'card-mute';
    case 'card-held':
      return 'card-held';
    case 'card-reset':
    case 'communication':
      return 'card-communication';
  }
}

/** After a fault of communication the card is reset before anything else is sent to it. */
export function eventOfCardFault(fault: CardFault): CardEvent {
  return fault === 'card-reset' || fault === 'communication' ? 'reset' : 'removed';
}
