/**
 * One reader as a machine: connects to what is put in, looks at it, and lends it to the work that wants it. Pure; ../reader.ts does the
 * effects. One thing is under way at a time, so that nothing comes between a job's commands.
 */
import type { CardFault } from '../../../card/reader-port.ts';
import type { ErrorCode } from '../../../protocol/errors.ts';
import type { ReaderViewState } from '../../views.ts';
import type { CardLook } from '../look.ts';
import { codeOfCardFault } from './card-faults.ts';
import type { Loss, Move, Next, Place, Reader, ReaderEffect, ReaderEvent } from './states.ts';

/** Breakdowns of a card that stays in the reader, in a row, before only taking it out helps; without a job in hand one is enough. */
const MAX_BREAKDOWNS = 3;
/** A card another program holds is tried again this often, in milliseconds. */
const HELD_WAIT_MS = 1_000;
/** The port's state follows a card that went within moments; without a pause a reader that lags would be asked without end. */
const LAG_WAIT_MS = 100;

const AGAIN: Next = { kind: 'again' };

/** What `event` makes of a reader. An event that means nothing where the reader is changes nothing. */
export function transition(reader: Reader, event: ReaderEvent): Move {
  switch (event.kind) {
    case 'port':
      return portSays(reader, event);
    case 'connected':
      return connected(reader);
    case 'seen': {
      if (reader.place.kind !== 'reading' || event.taken) return move(reader);
      const place: Place = { ...reader.place, early: event.look };
      return move({ ...reader, place, shown: besideEnd(reader.shown, event.look) });
    }
    case 'looked': {
      if (reader.place.kind !== 'reading') return move(reader);
      const { early: _, ...visit } = reader.place;
      return serve({ ...reader, reset: false }, { ...visit, kind: 'idle', look: event.look });
    }
    case 'failed':
      return failed(reader, event);
    case 'lost':
      return lost(reader, event);
    case 'work':
      return found(reader, event.work);
    case 'click': {
      const waiting = { ...reader, order: event.order };
      return reader.place.kind === 'idle' ? serve(waiting, reader.place) : move(waiting);
    }
    case 'begun': {
      if (reader.place.kind !== 'opening') return move(reader);
      const { order: _, ...rest } = reader;
      return lend(rest, event.work);
    }
    case 'not-begun': {
      const { order: _, ...rest } = reader;
      return reader.place.kind === 'opening' ? serve(rest, { ...reader.place, kind: 'idle' }) : move(rest);
    }
    case 'lent':
      return reader.place.kind === 'claiming' ? lend(reader, event.work) : move(reader);
    case 'unwanted':
      return reader.place.kind === 'claiming' ? leave(reader, AGAIN) : move(reader);
    case 'released': {
      if (reader.place.kind !== 'lent') return move(reader);
      const { loss } = reader.place;
      const shown: ReaderViewState = event.inHand ? { kind: 'looking' } : reader.shown;
      return parted({ ...reader, shown }, loss);
    }
    case 'left':
      return reader.place.kind === 'leaving' ? afterwards(reader, reader.place.next) : move(reader);
    case 'rested':
      return reader.place.kind === 'resting' ? visit(reader) : move(reader);
    case 'nudge':
      return woken(reader);
    case 'relook': {
      const { endShownAt: _, ...seen } = reader;
      return woken({ ...seen, relook: true, shown: event.ended ? { kind: 'looking' } : reader.shown });
    }
    case 'end-away': {
      if (reader.shown.kind !== 'empty') return move(reader);
      const shown: ReaderViewState = { kind: 'job', job: event.work, look: null };
      return move({ ...reader, shown, endShownAt: reader.events });
    }
    case 'close':
      return close(reader, event.fault);
  }
}

function move(reader: Reader, ...effects: readonly ReaderEffect[]): Move {
  return { reader, effects };
}

/** One stay of one card, or the time without one. */
function visit(reader: Reader): Move {
  if (reader.closing) return move({ ...reader, place: { kind: 'closed' } });
  if (reader.card !== 'present') {
    const { order: _, ...rest } = reader;
    const endShown =
      reader.card === 'absent' && reader.shown.kind === 'job' && reader.endShownAt === reader.events;
    const nothing: ReaderViewState =
      reader.card === 'mute' ? { kind: 'problem', code: 'card-mute' } : { kind: 'empty' };
    const shown = endShown ? reader.shown : nothing;
    return move({ ...rest, place: { kind: 'empty' }, shown }, ...refusal(reader, 'no-card'));
  }
  // After a job its end stays on show while the card is read again.
  const sameCard = reader.events === reader.stay;
  const shown: ReaderViewState = reader.shown.kind === 'job' && sameCard ? reader.shown : { kind: 'looking' };
  const stay = reader.events;
  return move({ ...reader, place: { kind: 'connecting' }, shown, stay, relook: false }, { kind: 'connect' });
}

function portSays(before: Reader, { card, events }: Extract<ReaderEvent, { kind: 'port' }>): Move {
  const moved = events !== before.events || card !== 'present';
  const reader = { ...before, card, events, breakdowns: moved ? 0 : before.breakdowns };
  const { effects, reader: after } = woken(reader);
  const swapped = isLinked(before.place) && events !== before.stay;
  return move(after, ...(swapped ? [{ kind: 'lose', fault: 'card-removed' } as const] : []), ...effects);
}

function isLinked(place: Place): boolean {
  return ['reading', 'idle', 'opening', 'claiming', 'lent'].includes(place.kind);
}

function connected(reader: Reader): Move {
  if (reader.place.kind !== 'connecting') return move(reader);
  if (reader.closing)
    return move({ ...reader, place: { kind: 'leaving', next: AGAIN } }, { kind: 'disconnect' });
  const read: ReaderEffect = { kind: 'read', reset: reader.reset };
  const next: Reader = { ...reader, place: { kind: 'reading' } };
  return reader.events === reader.stay
    ? move(next, read)
    : move(next, { kind: 'lose', fault: 'card-removed' }, read);
}

/** Something may have become possible. */
function woken(reader: Reader): Move {
  switch (reader.place.kind) {
    case 'empty':
    case 'resting':
      return visit(reader);
    case 'idle':
      return serve(reader, reader.place);
    case 'leaving':
      return move({ ...reader, place: { kind: 'leaving', next: AGAIN } });
    case 'connecting':
    case 'reading':
    case 'opening':
    case 'claiming':
    case 'lent':
    case 'closed':
      return move(reader);
  }
}

/** The card is known: is there work for it? */
function serve(reader: Reader, idle: Extract<Place, { kind: 'idle' }>): Move {
  const at = { ...reader, place: idle };
  if (idle.loss !== undefined) return parted(at, idle.loss);
  if (reader.closing || reader.relook) return leave(at, AGAIN);
  return move(at, { kind: 'seek', identification: idle.look.identification });
}

function found(reader: Reader, work: string | undefined): Move {
  if (reader.place.kind !== 'idle') return move(reader);
  const { look } = reader.place;
  if (work !== undefined && reader.breakdowns <= MAX_BREAKDOWNS) {
    return move({ ...reader, place: { ...reader.place, kind: 'claiming' } }, { kind: 'claim', work });
  }
  if (reader.order !== undefined) {
    const place: Place = { ...reader.place, kind: 'opening' };
    return move({ ...reader, place }, { kind: 'open', look, order: reader.order });
  }
  return move({ ...reader, shown: besideEnd(reader.shown, look) });
}

function lend(reader: Reader, work: string): Move {
  const loss = 'loss' in reader.place ? reader.place.loss : undefined;
  const place: Place = loss === undefined ? { kind: 'lent' } : { kind: 'lent', loss };
  return move({ ...reader, place, shown: { kind: 'job', job: work, look: null } });
}

function lost(reader: Reader, { loss }: Extract<ReaderEvent, { kind: 'lost' }>): Move {
  const { place } = reader;
  switch (place.kind) {
    case 'idle':
      return parted(reader, loss);
    case 'reading':
    case 'opening':
    case 'claiming':
    case 'lent':
      return move({ ...reader, place: { ...place, loss: place.loss ?? loss } });
    case 'empty':
    case 'connecting':
    case 'leaving':
    case 'resting':
    case 'closed':
      return move(reader);
  }
}

/** The card is let go. A card that only answered nonsense is still there: that was a breakdown. */
function parted(reader: Reader, loss: Loss | undefined): Move {
  if (loss?.event !== 'reset') return leave(reader, AGAIN);
  return broken(reader, loss.fault, loss.anyInHand, '');
}

function failed(
  reader: Reader,
  { fault, anyInHand, detail }: Extract<ReaderEvent, { kind: 'failed' }>,
): Move {
  switch (reader.place.kind) {
    case 'connecting':
    case 'reading':
    case 'claiming':
    case 'lent':
      return broken(reader, fault, anyInHand, detail);
    case 'opening': {
      // Not begun: whoever clicked is told, and may click again.
      const { order: _, ...rest } = reader;
      const { reader: after, effects } = broken(rest, fault, anyInHand, detail);
      return move(after, ...refusal(reader, codeOf(fault)), ...effects);
    }
    case 'leaving':
      return afterwards(reader, reader.place.next);
    case 'empty':
    case 'idle':
    case 'resting':
    case 'closed':
      return move(reader);
  }
}

/** A fault: while the card stays, one retry after a reset for the look and a few for a job; then it has to be taken out. */
function broken(reader: Reader, fault: CardFault | undefined, anyInHand: boolean, detail: string): Move {
  if (reader.closing) return leave(reader, AGAIN);
  if (fault === 'card-removed' || fault === 'card-absent') {
    const lags = reader.events === reader.stay && reader.card === 'present';
    return leave(reader, lags ? { kind: 'rest', forMs: LAG_WAIT_MS } : AGAIN);
  }
  const breakdowns = reader.breakdowns + 1;
  const reset = fault === 'communication' || fault === 'card-reset';
  const counted = { ...reader, breakdowns, reset };
  if (reset && breakdowns <= (anyInHand ? MAX_BREAKDOWNS : 1)) return leave(counted, AGAIN);
  const code = codeOf(fault);
  const { order: _, ...rest } = counted;
  const next: Next = fault === 'card-held' ? { kind: 'rest', forMs: HELD_WAIT_MS } : { kind: 'rest' };
  const { reader: left, effects } = leave({ ...rest, shown: { kind: 'problem', code } }, next);
  return move(left, { kind: 'tell-problem', code, detail }, ...refusal(reader, code), ...effects);
}

function codeOf(fault: CardFault | undefined): ErrorCode {
  return fault === undefined ? 'internal' : codeOfCardFault(fault);
}

function leave(reader: Reader, next: Next): Move {
  if (reader.place.kind === 'connecting')
    return afterwards({ ...reader, place: { kind: 'leaving', next } }, next);
  return move({ ...reader, place: { kind: 'leaving', next } }, { kind: 'disconnect' });
}

/** The connection is closed, or there was none. */
function afterwards(reader: Reader, next: Next): Move {
  if (next.kind === 'again' || reader.closing || reader.events !== reader.stay) return visit(reader);
  const resting: Reader = { ...reader, place: { kind: 'resting' } };
  return next.forMs === undefined ? move(resting) : move(resting, { kind: 'rest', forMs: next.forMs });
}

/**
 * What is under way comes to its end first; a job keeps the card until it gives it back. A click whose job is being begun is answered by
 * that: were it refused here, staff would be told that nothing was begun while the job goes into the journal.
 */
function close(reader: Reader, fault: 'reader-lost' | 'service-missing' | undefined): Move {
  const lose: readonly ReaderEffect[] =
    fault !== undefined && isLinked(reader.place) ? [{ kind: 'lose', fault }] : [];
  const { order: _, ...rest } = reader;
  const isBeginning = reader.place.kind === 'opening';
  const closing = woken({ ...(isBeginning ? reader : rest), closing: true });
  const code = fault === undefined ? 'reader-lost' : codeOfCardFault(fault);
  const refused = isBeginning ? [] : refusal(reader, code);
  return move(closing.reader, ...lose, ...refused, ...closing.effects);
}

function refusal({ order }: Reader, code: ErrorCode): readonly ReaderEffect[] {
  return order === undefined ? [] : [{ kind: 'refuse', order, code }];
}

/** The end of a job stays beside the card. */
function besideEnd(shown: ReaderViewState, look: CardLook): ReaderViewState {
  return shown.kind === 'job' ? { ...shown, look } : { kind: 'card', look };
}
