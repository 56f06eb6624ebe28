/** What no virtual reader shows: keep-alive, and drivers that report a pulled card in their own ways. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectCard } from '../../../../app/station/readers/pcsc/connection.ts';
import type { Winscard } from '../../../../app/station/readers/pcsc/winscard.ts';
import { fault } from './port-contract.ts';

describe('keep-alive', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks every 4 s inside a transaction, only when idle, and never outside', async () => {
    const { api, statuses } = fake();
    const card = await connectCard(api, 'A');
    const atConnect = statuses();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(statuses()).toBe(atConnect);
    await card.beginTransaction();
    await vi.advanceTimersByTimeAsync(3999);
    await card.transmit(SMALL);
    await vi.advanceTimersByTimeAsync(3999);
    expect(statuses()).toBe(atConnect);
    await vi.advanceTimersByTimeAsync(8001);
    expect(statuses()).toBe(atConnect + 3);
    await card.endTransaction();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(statuses()).toBe(atConnect + 3);
    await card.disconnect();
  });
});

describe('a card that promises more protocols than it speaks', () => {
  it.each([
    ['T=0', [1], [3, 1]],
    ['T=1', [2], [3, 1, 2]],
    ['both', [3], [3]],
  ])('and speaks %s is asked once for each, and after a reset for that', async (_what, speaks, asked) => {
    const { api, says, protocols } = fake();
    says.speaks = speaks;
    const card = await connectCard(api, 'A');
    expect(protocols).toEqual(asked);
    await card.reset();
    expect(protocols).toEqual([...asked, ...speaks]);
  });

  it('and speaks none is mute, after one call for each', async () => {
    const { api, says, protocols } = fake();
    says.speaks = [];
    expect(await fault(connectCard(api, 'A'))).toBe('card-mute');
    expect(protocols).toEqual([3, 1, 2]);
  });

  it('is no reason to ask again where somebody holds the card', async () => {
    const { api, says, protocols } = fake();
    says.speaks = [];
    says.connect = 0x8010000b;
    expect(await fault(connectCard(api, 'A'))).toBe('card-held');
    expect(protocols).toEqual([3]);
  });
});

describe('a disturbed command', () => {
  it('is a removed card when the service knows it, and stays one', async () => {
    const { api, says } = fake();
    const card = await connectCard(api, 'A');
    says.transmit = NOT_TRANSACTED;
    says.status = REMOVED_CARD;
    expect(await fault(card.transmit(SMALL))).toBe('card-removed');
    says.transmit = 0;
    says.status = 0;
    expect(await fault(card.transmit(SMALL))).toBe('card-removed');
  });

  it('is a communication error otherwise, and the next may work', async () => {
    const { api, says } = fake();
    const card = await connectCard(api, 'A');
    says.transmit = NOT_TRANSACTED;
    expect(await fault(card.transmit(SMALL))).toBe('communication');
    says.transmit = 0;
    expect(await card.transmit(SMALL)).toEqual(Uint8Array.of(0x90, 0x00));
  });
});

const SMALL = Uint8Array.of(0x80, 0x01, 0x00, 0x00, 0x00);

const NOT_TRANSACTED = 0x80100016;

const REMOVED_CARD = 0x80100069;
const UNRESPONSIVE = 0x80100066;

/** A PC/SC that says what it is told to, and counts. */
function fake() {
  /** `speaks`: choices of protocols that the card takes; to others it says `connect`. */
  const says = { transmit: 0, status: 0, speaks: [1, 2, 3], connect: UNRESPONSIVE };
  const protocols: number[] = [];
  let statuses = 0;
  const api: Winscard = {
    pnp: true,
    async SCardEstablishContext() {
      return { rv: 0, context: 1 };
    },
    async SCardReleaseContext() {
      return 0;
    },
    SCardIsValidContext() {
      return 0;
    },
    SCardCancel() {
      return 0;
    },
    async SCardListReaders() {
      return { rv: 0, readers: ['A'] };
    },
    async SCardGetStatusChange() {
      return { rv: 0, states: [] };
    },
    async SCardConnect(_context, _reader, _mode, asked) {
      protocols.push(asked);
      return { rv: says.speaks.includes(asked) ? 0 : says.connect, card: 2, protocol: 2 };
    },
    async SCardReconnect(_card, _mode, asked) {
      protocols.push(asked);
      return { rv: 0, protocol: 2 };
    },
    async SCardDisconnect() {
      return 0;
    },
    async SCardBeginTransaction() {
      return 0;
    },
    async SCardEndTransaction() {
      return 0;
    },
    async SCardStatus() {
      statuses += 1;
      return { rv: says.status, state: 0, protocol: 2, atr: Uint8Array.of(0x3b, 0x00) };
    },
    async SCardTransmit(_card, _protocol, _send, receive) {
      receive.set([0x90, 0x00]);
      return { rv: says.transmit, length: says.transmit === 0 ? 2 : 0 };
    },
  };
  return { api, says, protocols, statuses: () => statuses };
}
