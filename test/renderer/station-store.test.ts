/** The window's picture of the station, over the real bridge and a mock of the rest. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBridge, type Wire } from '../../electron/ipc-schema/bridge.ts';
import { channelOf, NOTIFICATIONS } from '../../electron/ipc-schema/calls.ts';
import type { StartView } from '../../electron/ipc-schema.ts';
import { watchServer } from '../../renderer/state/server-watch.ts';
import { createStationStore } from '../../renderer/state/station-store.ts';
import { CATALOGUE, card, job, MOMENT, NUMBER, reader, station } from './mock.ts';

describe('the window', () => {
  it('shows nothing before the snapshot, and then what came meanwhile', async () => {
    const { main, store } = opened();
    expect(store.getState().view).toBeNull();
    main.tell(3, { kind: 'operator', operator: null });
    main.tell(4, { kind: 'engine', engine: { kind: 'away' } });
    await main.answer();
    const view = store.getState().view;
    expect(view?.at).toBe(4);
    expect(view?.station.engine.kind).toBe('away');
    // Number 3 was in the snapshot already.
    expect(view?.station.operator).not.toBeNull();
  });

  it('asks for everything again when a notification is missing, and loses none after it', async () => {
    const { main, store } = opened();
    await main.answer();
    main.start = { ok: true, value: { ...first, at: 9, station: station({ readers: [] }) } };
    main.tell(6, { kind: 'operator', operator: null });
    main.tell(10, { kind: 'engine', engine: { kind: 'away' } });
    await main.answer();
    expect(main.asked).toEqual(['shell.start', 'shell.start']);
    expect(store.getState().view?.station).toMatchObject({ readers: [], engine: { kind: 'away' } });
  });

  it('says why there is nothing to show', async () => {
    const main = new Main();
    main.start = { ok: false, code: 'internal', details: {} };
    const store = createStationStore(createBridge(main.wire), () => 0);
    store.open();
    await main.answer();
    expect(store.getState()).toMatchObject({ view: null, fault: { code: 'internal' } });
  });

  it('changes language and theme at once', async () => {
    const { main, store } = opened();
    await main.answer();
    store.changeSettings({ language: 'zh-CN' });
    expect(store.getState().view?.settings).toEqual({ language: 'zh-CN', theme: 'light', sound: true });
    expect(main.asked).toContain('shell.changeSettings');
  });

  it('remembers that the server ended the session, until somebody signs in', async () => {
    const { main, store } = opened();
    await main.answer();
    store.sessionOver();
    expect(main.asked).toContain('session.signOut');
    expect(store.getState().expired).toBe(true);
    main.tell(4, { kind: 'operator', operator: null });
    expect(store.getState().expired).toBe(true);
    main.tell(5, { kind: 'operator', operator: first.station.operator });
    expect(store.getState().expired).toBe(false);
  });

  it('keeps a meter for each job, and the card that a job has', async () => {
    const { main, store } = opened();
    await main.answer();
    main.tell(4, { kind: 'job', job: job({ kind: 'working', writing: true }) });
    main.tell(5, { kind: 'reader', reader: reader({ kind: 'job', job: 'job-1', card: null }) });
    expect(store.getState().meters['job-1']?.percents.length).toBe(4);
    expect(store.getState().seen[NUMBER]).toEqual(card());
    main.tell(6, { kind: 'job-gone', id: 'job-1' });
    expect(store.getState().meters).toEqual({});
  });
});

describe('the server', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is asked for at the start, seldom while it is there and often while it is not', async () => {
    const { main, bridge, store } = opened();
    const stop = watchServer(bridge, store);
    const checks = () => main.asked.filter((name) => name === 'server.check').length;
    await main.answer();
    expect(checks()).toBe(1);
    await main.answer();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(checks()).toBe(1);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(checks()).toBe(2);
    main.tell(4, { kind: 'server', server: { state: 'away', code: 'server-away', lastSeen: MOMENT } });
    await main.answer();
    await vi.advanceTimersByTimeAsync(11_000);
    expect(checks()).toBe(3);
    stop();
    await main.answer();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(checks()).toBe(3);
  });

  it('says within a minute that whoever is signed in is not any more', async () => {
    const { main, bridge, store } = opened();
    const stop = watchServer(bridge, store);
    await main.answer();
    await main.answer();
    main.check = { ok: false, code: 'session-expired', details: {} };
    await vi.advanceTimersByTimeAsync(60_000);
    await main.answer();
    expect(store.getState().expired).toBe(true);
    expect(main.asked).toContain('session.signOut');
    stop();
  });
});

const first: StartView = {
  version: '0.1.0',
  settings: { language: 'en', theme: 'light', sound: true },
  catalogue: CATALOGUE,
  station: station({ readers: [reader({ kind: 'card', card: card() })] }),
  at: 3,
};

/** A main process whose answers wait until they are let go. */
class Main {
  readonly asked: string[] = [];
  readonly #waiting: (() => void)[] = [];
  #listener: (value: unknown) => void = () => undefined;
  start: unknown = { ok: true, value: first };
  check: unknown = { ok: true, value: { state: 'up', lastSeen: MOMENT } };

  readonly wire: Wire = {
    invoke: (channel) => {
      this.asked.push(channel.replace('kaika:', ''));
      const answer =
        channel === channelOf('shell.start')
          ? this.start
          : channel === channelOf('server.check')
            ? this.check
            : { ok: true, value: first.settings };
      return new Promise((resolve) => this.#waiting.push(() => resolve(answer)));
    },
    listen: (channel, listener) => {
      if (channel === NOTIFICATIONS) this.#listener = listener;
      return () => undefined;
    },
  };

  tell(at: number, change: unknown): void {
    this.#listener({ at, change });
  }

  async answer(): Promise<void> {
    for (const go of this.#waiting.splice(0)) go();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
}

function opened() {
  const main = new Main();
  const bridge = createBridge(main.wire);
  const store = createStationStore(bridge, () => 0);
  store.open();
  return { main, bridge, store };
}
