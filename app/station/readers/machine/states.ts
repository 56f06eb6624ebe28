/** A reader as a value: where it is with what is in it, and what staff see. Pure; how it goes on is in transition.ts. */
import type { CardFault, CardPresence } from '../../../card/reader-port.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { CardEvent } from '../../../protocol/wire.ts';
import type { ReaderViewState } from '../../views.ts';
import type { CardLook } from '../look.ts';
import type { StartRequest } from '../start-request.ts';

/** A click that waits for its turn; `identification` is the card that staff saw then. */
export interface Order extends StartRequest {
  readonly id: number;
  readonly identification: string;
}

/** How the link to the card was lost. */
export interface Loss {
  readonly event: CardEvent;
  readonly fault: CardFault;
  /** Whether any job was in hand then: one is worth more attempts than a look. */
  readonly anyInHand: boolean;
}

/** What follows once the connection is closed: another visit at once, or a rest until something moves, at most `forMs`. */
export type Next = { readonly kind: 'again' } | { readonly kind: 'rest'; readonly forMs?: number };

/** Between the connecting and the leaving of one card. */
interface Visit {
  /** The link was lost; what is under way finds out by itself. */
  readonly loss?: Loss;
}

export type Place =
  /** Nothing is in it, or something that does not answer. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'connecting' }
  /** The card is looked at. `early`: what is known of it already. */
  | (Visit & { readonly kind: 'reading'; readonly early?: CardLook })
  /** The card is known, and waits for work. */
  | (Visit & { readonly kind: 'idle'; readonly look: CardLook })
  /** A job is being begun: transaction, opening, journal. */
  | (Visit & { readonly kind: 'opening'; readonly look: CardLook })
  /** A job that waited for this card gets its transaction. */
  | (Visit & { readonly kind: 'claiming'; readonly look: CardLook })
  /** A job has the card. */
  | (Visit & { readonly kind: 'lent' })
  /** The connection is being closed. */
  | { readonly kind: 'leaving'; readonly next: Next }
  /** Something went wrong, and only a change can help. */
  | { readonly kind: 'resting' }
  | { readonly kind: 'closed' };

export interface Reader {
  readonly place: Place;
  readonly shown: ReaderViewState;
  /** As the reader port says. `events` grows whenever a card comes or goes. */
  readonly card: CardPresence;
  readonly events: number;
  /** The event count of the last visit: whether it is still the same card. */
  readonly stay: number;
  /** Breakdowns of a card that stays in the reader, in a row. */
  readonly breakdowns: number;
  /** The card is to be reset before it is looked at: it may still be open from before. */
  readonly reset: boolean;
  /** Staff ask for another look. */
  readonly relook: boolean;
  /** Nothing new is begun any more. */
  readonly closing: boolean;
  readonly order?: Order;
  /** The event count when the end of a job was put on show without a card. */
  readonly endShownAt?: number;
}

export type ReaderEvent =
  | { readonly kind: 'port'; readonly card: CardPresence; readonly events: number }
  | { readonly kind: 'connected' }
  /** The card can be told already, `taken`: by a job in hand, which goes on with it at once. */
  | { readonly kind: 'seen'; readonly look: CardLook; readonly taken: boolean }
  | { readonly kind: 'looked'; readonly look: CardLook }
  /** Connecting, looking or a transaction failed; without a fault it was something nobody foresaw. */
  | {
      readonly kind: 'failed';
      readonly fault?: CardFault;
      readonly anyInHand: boolean;
      readonly detail: string;
    }
  | { readonly kind: 'lost'; readonly loss: Loss }
  /** The source of work was asked. */
  | { readonly kind: 'work'; readonly work?: string }
  | { readonly kind: 'click'; readonly order: Order }
  | { readonly kind: 'begun'; readonly work: string }
  | { readonly kind: 'not-begun' }
  | { readonly kind: 'lent'; readonly work: string }
  /** The work wants the card no more. */
  | { readonly kind: 'unwanted' }
  | { readonly kind: 'released'; readonly inHand: boolean }
  | { readonly kind: 'left' }
  | { readonly kind: 'rested' }
  /** Something may have become possible: work waits, or was given up. */
  | { readonly kind: 'nudge' }
  /** `ended`: the job on show is over, and staff have seen it. */
  | { readonly kind: 'relook'; readonly ended: boolean }
  /** A job ended while its card was out. */
  | { readonly kind: 'end-away'; readonly work: string }
  /** The engine closes, or with a fault: the reader or the service went. */
  | { readonly kind: 'close'; readonly fault?: 'reader-lost' | 'service-missing' };

export type ReaderEffect =
  | { readonly kind: 'connect' }
  | { readonly kind: 'read'; readonly reset: boolean }
  /** Asks the source for work for this card. */
  | { readonly kind: 'seek'; readonly identification: string | null }
  | { readonly kind: 'open'; readonly look: CardLook; readonly order: Order }
  | { readonly kind: 'claim'; readonly work: string }
  | { readonly kind: 'lose'; readonly fault: CardFault }
  | { readonly kind: 'disconnect' }
  | { readonly kind: 'rest'; readonly forMs: number }
  | { readonly kind: 'refuse'; readonly order: Order; readonly code: ErrorCode }
  | { readonly kind: 'tell-problem'; readonly code: ErrorCode; readonly detail: string };

export interface Move {
  readonly reader: Reader;
  readonly effects: readonly ReaderEffect[];
}

/** The card on show; null where none is. */
export function lookOf({ place }: Reader): CardLook | null {
  if (place.kind === 'reading') return place.early ?? null;
  return 'look' in place ? place.look : null;
}

/** Why a click begins nothing now; undefined where it may. `inHandFor`: whether a job is in hand for this card. */
export function clickRefused(
  reader: Reader,
  inHandFor: (identification: string) => boolean,
): ErrorCode | undefined {
  if (reader.closing) return 'no-reader';
  const look = reader.shown.kind === 'card' || reader.shown.kind === 'job' ? lookOf(reader) : null;
  if (look === null) {
    return reader.shown.kind === 'job' || reader.order !== undefined ? 'job-in-hand' : 'no-card';
  }
  if (look.identification === null) return look.code ?? 'unknown-card';
  return reader.order !== undefined || inHandFor(look.identification) ? 'job-in-hand' : undefined;
}

/** A reader nobody has looked into yet. `reset`: a card may still be open from the life before a crash. */
export function unvisited(port: Pick<Reader, 'card' | 'events'>, reset: boolean): Reader {
  const { card, events } = port;
  return {
    place: { kind: 'resting' },
    shown: { kind: 'empty' },
    card,
    events,
    stay: -1,
    breakdowns: 0,
    reset,
    relook: false,
    closing: false,
  };
}
