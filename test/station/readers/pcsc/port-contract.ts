/** What every reader port must do, whatever is behind it. Run over the real pcscd and over the stand-in. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../../app/card/bytes.ts';
import {
  type CardConnection,
  CardError,
  type CardFault,
  type ReaderPort,
  type ReaderState,
  type ReadersState,
} from '../../../../app/card/reader-port.ts';
import { ECHO_ATR } from '../../../simulator/rig/echo-card.ts';
import { LIMIT } from '../../../support/limit.ts';

/** A port with readers, and the hands that put echo cards into them. */
export interface Bench {
  readonly port: ReaderPort;
  readonly readers: readonly string[];
  insert(reader: number, atr?: string): Promise<void>;
  remove(reader: number): Promise<void>;
  stopService(): Promise<void>;
  startService(): Promise<void>;
  close(): Promise<void>;
}

/** Another ATR (T=1), so that a second card can be told from the first. */
export const OTHER_ATR = '3B85014B41494B32BE';
/** Commands of the echo card. */
const NEVER = fromHex('00E00000');
const PULL_YOURSELF = fromHex('00E10000');
const SMALL = fromHex('00A4040000');
const LARGE = Uint8Array.from({ length: 261 }, (_, i) => (i === 4 ? 255 : i < 4 ? 0x80 : i & 0xff));

/** The state that fits, now or when it comes. */
export function until(port: ReaderPort, fits: (state: ReadersState) => boolean): Promise<ReadersState> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`state never came, last ${JSON.stringify(port.state)}`));
    }, LIMIT);
    const look = (): void => {
      if (!fits(port.state)) return;
      clearTimeout(timer);
      stop();
      resolve(port.state);
    };
    const stop = port.subscribe(look);
    look();
  });
}

/** One reader in a state. */
export function reader(state: ReadersState, name: string | undefined): ReaderState | undefined {
  return state.service === 'running' ? state.readers.find((each) => each.name === name) : undefined;
}

/** Rejects with this fault. */
export async function fault(promise: Promise<unknown>): Promise<CardFault | 'none'> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (error instanceof CardError) return error.fault;
    throw error;
  }
}

/** The contract. */
export function describeReaderPort(name: string, open: () => Promise<Bench>): void {
  describe(name, () => {
    let bench: Bench;
    let first = '';
    let second = '';
    const connections: CardConnection[] = [];

    beforeAll(async () => {
      bench = await open();
      [first = '', second = ''] = bench.readers;
      await until(bench.port, (state) => reader(state, second) !== undefined);
    });
    afterAll(() => bench.close());

    const cardIn = (which: string, card: ReaderState['card']) =>
      until(bench.port, (state) => reader(state, which)?.card === card);
    const connect = async (which: string): Promise<CardConnection> => {
      const connection = await bench.port.connect(which);
      connections.push(connection);
      return connection;
    };

    beforeEach(async () => {
      await bench.insert(0);
      await cardIn(first, 'present');
    });
    afterEach(async () => {
      await bench.startService();
      for (const index of [0, 1]) await bench.remove(index);
      for (const connection of connections.splice(0)) await connection.disconnect();
      await cardIn(first, 'absent');
      await cardIn(second, 'absent');
    });

    it('lists the readers, tells the card and its ATR', async () => {
      const state = bench.port.state;
      expect(state.service === 'running' && state.readers.map((each) => each.name)).toEqual(bench.readers);
      expect(toHex(reader(state, first)?.atr ?? new Uint8Array())).toBe(ECHO_ATR);
      expect(reader(state, second)).toMatchObject({ card: 'absent' });
      expect(reader(state, second)?.atr).toBeUndefined();
    });

    it('sees a card come and go, and counts both', async () => {
      const before = reader(bench.port.state, second)?.events ?? -1;
      await bench.insert(1, OTHER_ATR);
      const inside = reader(await cardIn(second, 'present'), second);
      expect(inside?.events).toBe(before + 1);
      expect(toHex(inside?.atr ?? new Uint8Array())).toBe(OTHER_ATR);
      await bench.remove(1);
      expect(reader(await cardIn(second, 'absent'), second)?.events).toBe(before + 2);
    });

    it('sees a swap within 20 ms, also of equal cards', async () => {
      const before = reader(bench.port.state, first)?.events ?? -1;
      await bench.remove(0);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await bench.insert(0);
      await until(bench.port, (state) => (reader(state, first)?.events ?? 0) >= before + 2);
      expect(reader(await cardIn(first, 'present'), first)?.events).toBe(before + 2);
    });

    it('carries commands of 5 and of 261 bytes', async () => {
      const card = await connect(first);
      expect(toHex(card.atr)).toBe(ECHO_ATR);
      expect(toHex(await card.transmit(SMALL))).toBe(`${toHex(SMALL)}9000`);
      expect(toHex(await card.transmit(LARGE))).toBe(`${toHex(LARGE)}9000`);
    });

    it('keeps the order of commands that do not wait for each other', async () => {
      const card = await connect(first);
      const sent = Array.from({ length: 20 }, (_, i) => Uint8Array.of(0x80, 0x01, 0x00, i, 0x00));
      const answers = await Promise.all(sent.map((command) => card.transmit(command)));
      expect(answers.map(toHex)).toEqual(sent.map((command) => `${toHex(command)}9000`));
    });

    it('refuses to connect where there is no card, and no such reader', async () => {
      expect(await fault(connect(second))).toBe('card-absent');
      expect(await fault(connect('no such reader'))).toBe('reader-lost');
    });

    it('fails a command whose card is pulled, and every one after it, even with a new card in', async () => {
      const card = await connect(first);
      const cut = fault(card.transmit(NEVER));
      await card.atr;
      await bench.remove(0);
      expect(await cut).toBe('card-removed');
      await bench.insert(0, OTHER_ATR);
      await until(bench.port, (state) => toHex(reader(state, first)?.atr ?? new Uint8Array()) === OTHER_ATR);
      expect(await fault(card.transmit(SMALL))).toBe('card-removed');
      expect(await fault(card.reset())).toBe('card-removed');
      await expect(card.disconnect()).resolves.toBeUndefined();
    });

    it('fails a command of an idle connection whose card was swapped', async () => {
      const card = await connect(first);
      await bench.remove(0);
      await bench.insert(0, OTHER_ATR);
      await until(bench.port, (state) => toHex(reader(state, first)?.atr ?? new Uint8Array()) === OTHER_ATR);
      expect(await fault(card.transmit(SMALL))).toBe('card-removed');
    });

    it('sees a card that pulls itself', async () => {
      const card = await connect(first);
      expect(await fault(card.transmit(PULL_YOURSELF))).toBe('card-removed');
      await cardIn(first, 'absent');
    });

    it('works in one reader while the card in the other never answers', async () => {
      await bench.insert(1);
      await cardIn(second, 'present');
      const silent = await connect(first);
      const cut = fault(silent.transmit(NEVER));
      const card = await connect(second);
      for (let i = 0; i < 10; i += 1) await card.transmit(SMALL);
      await bench.remove(0);
      expect(await cut).toBe('card-removed');
    });

    it('resets the card, and tells the other connection', async () => {
      const [one, other] = [await connect(first), await connect(first)];
      await other.transmit(SMALL);
      await one.reset();
      expect(toHex(await one.transmit(SMALL))).toBe(`${toHex(SMALL)}9000`);
      expect(await fault(other.transmit(SMALL))).toBe('card-reset');
      expect(await fault(other.transmit(SMALL))).toBe('card-reset');
      await other.reset();
      expect(await fault(other.transmit(SMALL))).toBe('none');
    });

    it('lets one transaction wait for the other', async () => {
      const [one, other] = [await connect(first), await connect(first)];
      const order: string[] = [];
      await one.beginTransaction();
      const waiting = other.beginTransaction().then(() => order.push('other begins'));
      for (let i = 0; i < 50; i += 1) await one.transmit(SMALL);
      order.push('one ends');
      await one.endTransaction();
      await waiting;
      expect(order).toEqual(['one ends', 'other begins']);
      await other.transmit(SMALL);
      await other.endTransaction();
    });

    it('holds back a plain command during a transaction of another', async () => {
      const [one, other] = [await connect(first), await connect(first)];
      const order: string[] = [];
      await one.beginTransaction();
      const waiting = other.transmit(SMALL).then(() => order.push('other'));
      for (let i = 0; i < 50; i += 1) await one.transmit(SMALL);
      order.push('one');
      await one.endTransaction();
      await waiting;
      expect(order).toEqual(['one', 'other']);
    });

    it('keeps its transaction through a reset, and tells the others at once', async () => {
      const [one, other] = [await connect(first), await connect(first)];
      const order: string[] = [];
      await one.beginTransaction();
      await one.reset();
      expect(await fault(other.beginTransaction())).toBe('card-reset');
      const waiting = connect(first).then(() => order.push('late'));
      for (let i = 0; i < 50; i += 1) await one.transmit(SMALL);
      order.push('one');
      await one.endTransaction();
      await waiting;
      expect(order).toEqual(['one', 'late']);
    });

    it('frees the card when the connection with a transaction ends', async () => {
      const [one, other] = [await connect(first), await connect(first)];
      await one.beginTransaction();
      const waiting = other.transmit(SMALL);
      await one.disconnect();
      expect(toHex(await waiting)).toBe(`${toHex(SMALL)}9000`);
    });

    it('fails commands on a connection that was ended', async () => {
      const card = await connect(first);
      await card.disconnect();
      expect(await fault(card.transmit(SMALL))).toBe('communication');
      await card.disconnect();
    });

    it('tells a missing service, and works again when it is back', async () => {
      const card = await connect(first);
      const cut = fault(card.transmit(NEVER));
      const before = reader(bench.port.state, first)?.events ?? -1;
      await bench.stopService();
      expect(await cut).toBe('service-missing');
      const gone = await until(bench.port, (state) => state.service === 'missing');
      expect(gone).toEqual({ service: 'missing', fault: 'not-running' });
      expect(await fault(card.transmit(SMALL))).toBe('service-missing');
      expect(await fault(connect(first))).toBe('service-missing');
      await bench.startService();
      const back = reader(await cardIn(first, 'present'), first);
      expect(back?.events).toBeGreaterThan(before);
      expect(await fault(card.transmit(SMALL))).toBe('service-missing');
      const again = await connect(first);
      expect(toHex(await again.transmit(SMALL))).toBe(`${toHex(SMALL)}9000`);
    });
  });
}
