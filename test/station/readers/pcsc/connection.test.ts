/** What no virtual reader shows: keep-alive, and drivers that report a pulled card in their own ways. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectCard } from '../../../../app/station/readers/pcsc/connection.ts';
import type { Winscard } from '../../../../app/station/readers/pcsc/winscard.ts';
import { fault } from './port-contract.ts';

const SMALL = Uint8Array.of(0x80, 0x01, 0x00, 0x00, 0x00);

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

const NOT_TRANSACTED = 0x80100016;

const REMOVED_CARD = 0x80100069;

/** A PC/SC that says what it is told to, and counts. */
function fake(): { api: Winscard; says: { transmit: number; status: number }; statuses: () => number } {
  const says = { transmit: 0, status: 0 };
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
    async SCardConnect() {
      return { rv: 0, card: 2, protocol: 2 };
    },
    async SCardReconnect() {
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
  return { api, says, statuses: () => statuses };
}
