/** Watches the service and its readers over one context, and builds that anew whenever the service comes back. */
import type { ReadersState, ServiceFault } from '../../../card/reader-port.ts';
import { faultOf, PNP_NOTIFICATION, SCARD, SCARD_SCOPE_SYSTEM, SCARD_STATE } from './codes.ts';
import {
  readersOf,
  sameReaders,
  type WatchedReaders,
  withNames,
  withoutReaders,
  withStates,
} from './model.ts';
import type { ScardHandle, Winscard } from './winscard.ts';

/** How long one wait lasts; then the list of readers is read again. Short where arrivals cannot be waited for. */
const WAIT_MS = 10_000;
const WAIT_WITHOUT_PNP_MS = 1000;
/** Between two attempts to reach a service that is not there. */
const RETRY_MS = 300;
/** A cancel that comes just before the wait begins is lost, so it is repeated. */
const CANCEL_AGAIN_MS = 50;

/** A running watcher. */
export interface Watcher {
  /** Ends the wait and frees the context. */
  close(): Promise<void>;
}

/** What a watcher needs. */
interface WatcherOptions {
  readonly api: Winscard;
  /** Told every state that differs from the one before. */
  readonly onState: (state: ReadersState) => void;
  /** Why the service cannot be used, from SCardEstablishContext's return code. */
  readonly serviceFault: (rv: number) => Promise<ServiceFault>;
}

/** Starts watching. */
export function startWatcher({ api, onState, serviceFault }: WatcherOptions): Watcher {
  let closing = false;
  let current: ScardHandle | undefined;
  let wakeUp: (() => void) | undefined;
  let published: ReadersState = { service: 'starting' };
  let known: WatchedReaders = new Map();

  const publish = (state: ReadersState): void => {
    if (closing || sameState(published, state)) return;
    published = state;
    onState(state);
  };

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        wakeUp = undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      wakeUp = done;
    });

  /** One round: list, wait, take in. Gives false when the context is of no more use. */
  const round = async (context: ScardHandle): Promise<boolean> => {
    const listed = await api.SCardListReaders(context);
    const none = listed.rv === SCARD.E_NO_READERS_AVAILABLE;
    if (listed.rv !== SCARD.S_SUCCESS && !none) return false;
    known = withNames(known, none ? [] : listed.readers);
    const asked = [...known]
      .filter(([, reader]) => reader.attached)
      .map(([szReader, reader]) => ({ szReader, dwCurrentState: reader.word ?? SCARD_STATE.UNAWARE }));
    const readers = asked.length;
    const allLookedAt = asked.every((reader) => reader.dwCurrentState !== SCARD_STATE.UNAWARE);
    if (allLookedAt) publish({ service: 'running', readers: readersOf(known) });
    if (api.pnp) asked.push({ szReader: PNP_NOTIFICATION, dwCurrentState: readers << 16 });
    if (asked.length === 0) {
      await pause(WAIT_WITHOUT_PNP_MS);
      return true;
    }
    if (closing) return false;
    const wait = api.pnp ? WAIT_MS : WAIT_WITHOUT_PNP_MS;
    const { rv, states } = await api.SCardGetStatusChange(context, wait, asked);
    if (rv === SCARD.E_TIMEOUT) return true;
    if (rv !== SCARD.S_SUCCESS) {
      // A reader that went between the list and the wait: the next list does not have it.
      if (faultOf(rv) !== 'reader-lost') return false;
      await pause(CANCEL_AGAIN_MS);
      return true;
    }
    known = withStates(known, states);
    if (states.every((state) => !isGone(state.dwEventState))) {
      publish({ service: 'running', readers: readersOf(known) });
    }
    return true;
  };

  const run = async (): Promise<void> => {
    while (!closing) {
      const { rv, context } = await api.SCardEstablishContext(SCARD_SCOPE_SYSTEM);
      if (rv !== SCARD.S_SUCCESS) {
        publish({ service: 'missing', fault: await serviceFault(rv) });
        if (!closing) await pause(RETRY_MS);
        continue;
      }
      current = context;
      while (!closing && (await round(context)));
      current = undefined;
      await api.SCardReleaseContext(context);
      known = withoutReaders(known);
      publish({ service: 'missing', fault: 'not-running' });
    }
  };

  const running = run();
  return {
    close: async () => {
      closing = true;
      wakeUp?.();
      const cancel = (): void => {
        if (current !== undefined) api.SCardCancel(current);
      };
      cancel();
      const again = setInterval(cancel, CANCEL_AGAIN_MS);
      try {
        await running;
      } finally {
        clearInterval(again);
      }
    },
  };
}

function isGone(word: number): boolean {
  return (word & (SCARD_STATE.UNKNOWN | SCARD_STATE.UNAVAILABLE)) !== 0;
}

function sameState(a: ReadersState, b: ReadersState): boolean {
  if (a.service === 'running' && b.service === 'running') return sameReaders(a.readers, b.readers);
  if (a.service === 'missing' && b.service === 'missing') return a.fault === b.fault;
  return a.service === b.service;
}
