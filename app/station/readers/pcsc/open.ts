/** The reader port over the machine's PC/SC service. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import {
  CardError,
  type ReaderPort,
  type ReadersState,
  type ServiceFault,
} from '../../../card/reader-port.ts';
import { serviceFaultOf } from './codes.ts';
import { connectCard, type PcscConnection } from './connection.ts';
import { hangUpOnDaemon } from './hang-up.ts';
import { widenThreadPool } from './thread-pool.ts';
import { startWatcher, type Watcher } from './watcher.ts';
import { loadWinscard, PcscNotInstalled, type Winscard } from './winscard.ts';

const SOCKET_VARIABLE = 'PCSCLITE_CSOCK_NAME';
const DEFAULT_SOCKET = '/run/pcscd/pcscd.comm';
/** How long `close` waits for a card that does not answer. */
const CLOSE_PATIENCE_MS = 1000;

/** How to reach PC/SC. */
export interface PcscOptions {
  /**
   * pcsclite only: the socket of a pcscd elsewhere. One a process, because libpcsclite reads the environment once;
   * not from a worker thread, whose environment is a copy.
   */
  readonly socketPath?: string;
  /** The PC/SC library to load instead of the system's. */
  readonly library?: string;
  /** After how long in a transaction without an operation the card is kept awake, ms. */
  readonly keepAliveMs?: number;
}

/** Opens the machine's smart card service. Never fails: what is missing is in `state`, and watched until it comes. */
export function openPcsc(options: PcscOptions = {}): ReaderPort {
  widenThreadPool();
  if (options.socketPath !== undefined) process.env[SOCKET_VARIABLE] = options.socketPath;
  let api: Winscard;
  try {
    api = loadWinscard(options.library);
  } catch (error) {
    if (error instanceof PcscNotInstalled) return notInstalled(error.message);
    throw error;
  }
  return portOver(api, options);
}

function portOver(api: Winscard, options: PcscOptions): ReaderPort {
  const listeners = new Set<(state: ReadersState) => void>();
  const connections = new Set<PcscConnection>();
  let state: ReadersState = { service: 'starting' };
  let closed = false;
  let closing: Promise<void> | undefined;

  const watcher: Watcher = startWatcher({
    api,
    serviceFault,
    onState: (next) => {
      state = next;
      for (const listener of [...listeners]) listener(next);
    },
  });

  const abandonAll = async (): Promise<boolean> => {
    const open = [...connections];
    const done = await Promise.all(open.map((connection) => connection.abandon(CLOSE_PATIENCE_MS)));
    return done.every(Boolean);
  };

  const closeAll = async (): Promise<void> => {
    listeners.clear();
    const [isDone] = await Promise.all([abandonAll(), watcher.close()]);
    if (isDone) return;
    await hangUpOnDaemon();
    await abandonAll();
  };

  return {
    get state() {
      return state;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connect: async (reader) => {
      if (closed) throw new CardError('service-missing', 'closed');
      const connection = await connectCard(api, reader, options.keepAliveMs);
      connections.add(connection);
      const disconnect: PcscConnection['disconnect'] = async (how) => {
        await connection.disconnect(how);
        connections.delete(connection);
      };
      if (closed) {
        await disconnect();
        throw new CardError('service-missing', 'closed');
      }
      return { ...connection, disconnect };
    },
    close: () => {
      closed = true;
      closing ??= closeAll();
      return closing;
    },
  };
}

/** pcsclite says "no service" also when its socket may not be opened by this user. */
async function serviceFault(rv: number): Promise<ServiceFault> {
  const fault = serviceFaultOf(rv);
  if (fault !== 'not-running' || process.platform === 'win32' || process.platform === 'darwin') return fault;
  try {
    await access(process.env[SOCKET_VARIABLE] ?? DEFAULT_SOCKET, constants.R_OK | constants.W_OK);
    return 'not-running';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'EACCES' ? 'refused' : 'not-running';
  }
}

function notInstalled(detail: string): ReaderPort {
  return {
    state: { service: 'missing', fault: 'not-installed' },
    subscribe: () => () => undefined,
    connect: () => Promise.reject(new CardError('service-missing', detail)),
    close: () => Promise.resolve(),
  };
}
