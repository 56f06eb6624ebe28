/** What becomes of a reader in each place with each event. A row says: the place then, what staff see, the effects. `-` changes nothing. */
import { describe, expect, it } from 'vitest';
import type { Move, Place, Reader, ReaderEvent } from '../../../app/station/readers/machine/states.ts';
import { unvisited } from '../../../app/station/readers/machine/states.ts';
import { transition } from '../../../app/station/readers/machine/transition.ts';
import { EVENTS, order, PLACES } from './samples.ts';

describe.each(Object.values(PLACES).map((place) => [place.kind, place] as const))('%s', (kind, place) => {
  it.each(Object.values(EVENTS).map((event) => [event.kind, event] as const))('%s', (name, event) => {
    const before = at(place);
    expect(row(before, transition(before, event))).toBe(TABLE[kind][name]);
  });
});

const { reading, idle, leaving, connecting } = PLACES;
const nonsense = { event: 'reset', fault: 'communication', anyInHand: false } as const;
const tired = { ...at(reading), breakdowns: 1 };

it.each<readonly [string, Reader, ReaderEvent, string]>([
  ['no work and no click: the card is shown', at(idle), { kind: 'work' }, 'idle: card'],
  ['a click that waited is dealt with', { ...at(idle), order }, { kind: 'work' }, 'opening: looking, open'],
  [
    'a click does not wait for a card that went',
    { ...at(leaving), order, card: 'absent', events: 2 },
    EVENTS.left,
    'empty: empty, refuse',
  ],
  [
    'a card that keeps answering nonsense has to be taken out',
    tired,
    EVENTS.failed,
    'leaving: problem, tell-problem, disconnect',
  ],
  [
    'with a job in hand it gets more attempts',
    tired,
    { ...EVENTS.failed, anyInHand: true },
    'leaving: looking, disconnect',
  ],
  [
    'a card that was lost while it was looked at is not served',
    at({ ...reading, loss: nonsense }),
    EVENTS.looked,
    'leaving: looking, disconnect',
  ],
  [
    'a card that another program holds is tried again after a while',
    at(connecting),
    { ...EVENTS.failed, fault: 'card-held' },
    'resting: problem, tell-problem, rest',
  ],
  [
    'a card that was swapped while the connection was made is not taken for the first',
    { ...at(connecting), events: 2 },
    EVENTS.connected,
    'reading: looking, lose, read',
  ],
  [
    'a job that goes on with the card at once is not preceded by its look',
    at(reading),
    { ...EVENTS.seen, taken: true },
    '-',
  ],
])('%s', (_name, before, event, expected) => {
  expect(row(before, transition(before, event))).toBe(expected);
});

type Table = { readonly [P in Place['kind']]: { readonly [E in ReaderEvent['kind']]: string } };

/** A card in the reader, visited once; what is shown follows from the place. */
function at(place: Place): Reader {
  const before = unvisited({ card: place.kind === 'empty' ? 'absent' : 'present', events: 1 }, false);
  return {
    ...before,
    place,
    stay: 1,
    shown: place.kind === 'empty' ? { kind: 'empty' } : { kind: 'looking' },
  };
}

function row(before: Reader, { reader, effects }: Move): string {
  if (reader.place === before.place && reader.shown === before.shown && effects.length === 0) return '-';
  return [`${reader.place.kind}: ${reader.shown.kind}`, ...effects.map(({ kind }) => kind)].join(', ');
}

const NOTHING = {
  port: '-',
  connected: '-',
  seen: '-',
  looked: '-',
  failed: '-',
  lost: '-',
  work: '-',
  click: '-',
  begun: '-',
  'not-begun': '-',
  lent: '-',
  unwanted: '-',
  released: '-',
  left: '-',
  rested: '-',
  nudge: '-',
  relook: '-',
  'end-away': '-',
  close: '-',
} as const;

const TABLE: Table = {
  empty: {
    ...NOTHING,
    port: 'empty: empty',
    nudge: 'empty: empty',
    relook: 'empty: empty',
    'end-away': 'empty: job',
    close: 'closed: empty',
  },
  connecting: {
    ...NOTHING,
    connected: 'reading: looking, read',
    failed: 'connecting: looking, connect',
  },
  reading: {
    ...NOTHING,
    port: 'reading: looking, lose',
    seen: 'reading: card',
    looked: 'idle: looking, seek',
    failed: 'leaving: looking, disconnect',
    lost: 'reading: looking',
    close: 'reading: looking, lose',
  },
  idle: {
    ...NOTHING,
    port: 'idle: looking, lose, seek',
    lost: 'leaving: looking, disconnect',
    work: 'claiming: looking, claim',
    click: 'idle: looking, seek',
    nudge: 'idle: looking, seek',
    relook: 'leaving: looking, disconnect',
    close: 'leaving: looking, lose, disconnect',
  },
  opening: {
    ...NOTHING,
    failed: 'leaving: looking, disconnect',
    port: 'opening: looking, lose',
    lost: 'opening: looking',
    begun: 'lent: job',
    'not-begun': 'idle: looking, seek',
    close: 'opening: looking, lose',
  },
  claiming: {
    ...NOTHING,
    port: 'claiming: looking, lose',
    failed: 'leaving: looking, disconnect',
    lost: 'claiming: looking',
    lent: 'lent: job',
    unwanted: 'leaving: looking, disconnect',
    close: 'claiming: looking, lose',
  },
  lent: {
    ...NOTHING,
    port: 'lent: looking, lose',
    failed: 'leaving: looking, disconnect',
    lost: 'lent: looking',
    released: 'leaving: looking, disconnect',
    close: 'lent: looking, lose',
  },
  leaving: {
    ...NOTHING,
    failed: 'resting: looking',
    port: 'leaving: looking',
    left: 'resting: looking',
    nudge: 'leaving: looking',
    relook: 'leaving: looking',
    close: 'leaving: looking',
  },
  resting: {
    ...NOTHING,
    port: 'empty: empty',
    rested: 'connecting: looking, connect',
    nudge: 'connecting: looking, connect',
    relook: 'connecting: looking, connect',
    close: 'closed: looking',
  },
  closed: {
    ...NOTHING,
  },
};
