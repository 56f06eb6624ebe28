/** What the watcher knows of the readers, and how it grows with each answer of SCardGetStatusChange. Pure. */
import { equalBytes } from '../../../card/bytes.ts';
import type { CardPresence, ReaderState } from '../../../card/reader-port.ts';
import { SCARD_STATE } from './codes.ts';
import type { ScardReaderState } from './winscard.ts';

/** A reader, and the state word to hand to the next SCardGetStatusChange; undefined: not looked at yet. */
interface WatchedReader {
  readonly state: ReaderState;
  readonly word: number | undefined;
  /** Whether the reader is there now; one that went is remembered, so that `events` never goes back. */
  readonly attached: boolean;
}

export type WatchedReaders = ReadonlyMap<string, WatchedReader>;

const COUNTER_BITS = 16;
const COUNTER_MASK = 0xffff;

/** The readers after a new list of names: new ones unlooked at, gone ones without their card. */
export function withNames(known: WatchedReaders, names: readonly string[]): WatchedReaders {
  const next = new Map<string, WatchedReader>();
  for (const [name, reader] of known) {
    next.set(name, names.includes(name) ? reader : detached(reader));
  }
  for (const name of names) {
    const before = next.get(name);
    if (before?.attached) continue;
    const events = before?.state.events ?? 0;
    next.set(name, { state: { name, card: 'absent', events }, word: undefined, attached: true });
  }
  return next;
}

/** All readers gone: the service ended, and every card with it. */
export function withoutReaders(known: WatchedReaders): WatchedReaders {
  return withNames(known, []);
}

function detached(reader: WatchedReader): WatchedReader {
  if (!reader.attached) return reader;
  const { name, events } = reader.state;
  return { state: { name, card: 'absent', events: events + 1 }, word: undefined, attached: false };
}

/** The readers after one answer of SCardGetStatusChange. */
export function withStates(known: WatchedReaders, answers: readonly ScardReaderState[]): WatchedReaders {
  const next = new Map(known);
  for (const answer of answers) {
    const before = known.get(answer.szReader);
    if (before?.attached) next.set(answer.szReader, seen(before, answer));
  }
  return next;
}

function seen(before: WatchedReader, answer: ScardReaderState): WatchedReader {
  const word = (answer.dwEventState & ~SCARD_STATE.CHANGED) >>> 0;
  const card = presenceOf(word);
  const { name } = before.state;
  const atr = card === 'present' && answer.atr.length > 0 ? { atr: answer.atr } : {};
  const events = before.state.events + eventsBetween(before, word, card, answer.atr);
  return { state: { name, card, events, ...atr }, word, attached: true };
}

function presenceOf(word: number): CardPresence {
  if ((word & SCARD_STATE.PRESENT) === 0) return 'absent';
  return (word & SCARD_STATE.MUTE) === 0 ? 'present' : 'mute';
}

/** Insertions and removals since the last look: the service's own count, or at least what can be seen. */
function eventsBetween(before: WatchedReader, word: number, card: CardPresence, atr: Uint8Array): number {
  if (before.word === undefined) return card === 'absent' ? 0 : 1;
  const counted = ((word >>> COUNTER_BITS) - (before.word >>> COUNTER_BITS)) & COUNTER_MASK;
  if (counted > 0) return counted;
  const was = before.state.card === 'absent';
  if (was !== (card === 'absent')) return 1;
  const sameAtr = before.state.atr === undefined || equalBytes(before.state.atr, atr);
  return card === 'present' && !sameAtr ? 2 : 0;
}

/** The attached readers, in the service's order. */
export function readersOf(known: WatchedReaders): ReaderState[] {
  return [...known.values()].filter((reader) => reader.attached).map((reader) => reader.state);
}

/** Whether two lists of readers say the same. */
export function sameReaders(a: readonly ReaderState[], b: readonly ReaderState[]): boolean {
  return a.length === b.length && a.every((reader, i) => sameReader(reader, b[i]));
}

function sameReader(a: ReaderState, b: ReaderState | undefined): boolean {
  if (!b || a.name !== b.name || a.card !== b.card || a.events !== b.events) return false;
  if (a.atr === undefined || b.atr === undefined) return a.atr === b.atr;
  return equalBytes(a.atr, b.atr);
}
