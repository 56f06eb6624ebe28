/** A reader in each place, and each event that it can meet. */
import type { CardLook } from '../../../app/station/readers/look.ts';
import type { Place, ReaderEvent } from '../../../app/station/readers/machine/states.ts';

export const look: CardLook = {
  facts: { atr: '3B00' },
  type: 'demo-scp03',
  identification: '6200000000000001',
  apps: [],
  unforeseen: [],
  unread: [],
  freeMemory: null,
  durationMs: 1,
};
export const order = { id: 1, account: '62220000', wishes: [], identification: '6200000000000001' };

export const PLACES: { readonly [K in Place['kind']]: Extract<Place, { readonly kind: K }> } = {
  empty: { kind: 'empty' },
  connecting: { kind: 'connecting' },
  reading: { kind: 'reading' },
  idle: { kind: 'idle', look },
  opening: { kind: 'opening', look },
  claiming: { kind: 'claiming', look },
  lent: { kind: 'lent' },
  leaving: { kind: 'leaving', next: { kind: 'rest' } },
  resting: { kind: 'resting' },
  closed: { kind: 'closed' },
};
export const EVENTS: { readonly [K in ReaderEvent['kind']]: Extract<ReaderEvent, { readonly kind: K }> } = {
  port: { kind: 'port', card: 'absent', events: 2 },
  connected: { kind: 'connected' },
  seen: { kind: 'seen', look, taken: false },
  looked: { kind: 'looked', look },
  failed: { kind: 'failed', fault: 'communication', anyInHand: false, detail: '' },
  lost: { kind: 'lost', loss: { event: 'removed', fault: 'card-removed', anyInHand: false } },
  work: { kind: 'work', work: 'job-1' },
  click: { kind: 'click', order },
  begun: { kind: 'begun', work: 'job-1' },
  'not-begun': { kind: 'not-begun' },
  lent: { kind: 'lent', work: 'job-1' },
  unwanted: { kind: 'unwanted' },
  released: { kind: 'released', inHand: false },
  left: { kind: 'left' },
  rested: { kind: 'rested' },
  nudge: { kind: 'nudge' },
  relook: { kind: 'relook', ended: false },
  'end-away': { kind: 'end-away', work: 'job-1' },
  close: { kind: 'close', fault: 'reader-lost' },
};
