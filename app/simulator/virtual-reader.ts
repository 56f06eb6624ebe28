/**
 * Virtual readers inside the process, for machines without PC/SC: the reader port as pcscd would serve it, faults
 * included. test/station/readers/pcsc holds both to the same contract.
 */
import {
  type CardConnection,
  CardError,
  type CardFault,
  type ReaderName,
  type ReaderPort,
  type ReaderState,
  type ReadersState,
} from '../card/reader-port.ts';
import { type CardDevice, PowerLost } from './device.ts';

/** The port, and the hands that put cards into its readers. */
export interface VirtualReaders extends ReaderPort {
  /** Puts a card in. @throws RangeError when there is no such reader or a card is in it. */
  insert(name: ReaderName, device: CardDevice): void;
  /** Pulls the card; a reader without one is left as it is. @throws RangeError when there is no such reader. */
  remove(name: ReaderName): void;
  /** The service goes, and the readers with it; cards stay in them. */
  stopService(): void;
  startService(): void;
}

/** One card's stay in a reader. Everything that ends the stay fails what still waits for the card. */
interface Stay {
  readonly device: CardDevice;
  /** Counts resets. */
  resets: number;
  /** Connections waiting for the card, the first one has it. */
  readonly queue: (() => void)[];
  holder: symbol | undefined;
  readonly ended: Promise<never>;
  end(fault: CardFault): void;
  fault: CardFault | undefined;
}

interface Reader {
  readonly name: ReaderName;
  events: number;
  device: CardDevice | undefined;
  stay: Stay | undefined;
}

/** Opens virtual readers of these names, all empty. */
export function openVirtualReaders(names: readonly ReaderName[]): VirtualReaders {
  const readers = new Map<ReaderName, Reader>(
    names.map((name) => [name, { name, events: 0, device: undefined, stay: undefined }]),
  );
  const listeners = new Set<(state: ReadersState) => void>();
  const connections = new Set<CardConnection>();
  let isRunning = true;
  let isClosed = false;
  let state = look();

  function look(): ReadersState {
    if (!isRunning) return { service: 'missing', fault: 'not-running' };
    return { service: 'running', readers: [...readers.values()].map(stateOf) };
  }

  function changed(): void {
    state = look();
    const now = state;
    // In a later turn: a real service is another process, and its news never arrive inside the call that caused them.
    setImmediate(() => {
      if (!isClosed) for (const listener of [...listeners]) listener(now);
    });
  }

  function readerOf(name: ReaderName): Reader {
    const reader = readers.get(name);
    if (!reader) throw new RangeError(`no virtual reader ${name}`);
    return reader;
  }

  function begin(reader: Reader): void {
    if (!reader.device || reader.stay) return;
    reader.device.powerOn();
    reader.stay = openStay(reader.device);
    reader.events += 1;
  }

  function finish(reader: Reader, fault: CardFault): void {
    const { stay } = reader;
    if (!stay) return;
    reader.stay = undefined;
    reader.events += 1;
    stay.end(fault);
    stay.device.powerOff();
  }

  /** The card lost power in the middle of a command: somebody pulled it. */
  function torn(stay: Stay): void {
    const reader = [...readers.values()].find((candidate) => candidate.stay === stay);
    if (!reader) return;
    reader.device = undefined;
    finish(reader, 'card-removed');
    changed();
  }

  return {
    get state() {
      return state;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    connect: async (name) => {
      await soon();
      if (!isRunning || isClosed) throw new CardError('service-missing');
      const reader = readers.get(name);
      if (!reader) throw new CardError('reader-lost');
      if (!reader.stay) throw new CardError('card-absent');
      if (reader.stay.device.atr.length === 0) throw new CardError('card-mute');
      const { stay } = reader;
      // As pcscd: whoever connects waits for a transaction to end.
      const visitor = Symbol(name);
      await take(stay, visitor);
      release(stay, visitor);
      const connection = connectStay(name, stay, torn, () => connections.delete(connection));
      connections.add(connection);
      return connection;
    },
    close: async () => {
      isClosed = true;
      listeners.clear();
      for (const connection of [...connections]) await connection.disconnect();
    },
    insert: (name, device) => {
      const reader = readerOf(name);
      if (reader.device) throw new RangeError(`a card is in ${name}`);
      reader.device = device;
      if (isRunning) begin(reader);
      changed();
    },
    remove: (name) => {
      const reader = readerOf(name);
      if (!reader.device) return;
      reader.device = undefined;
      finish(reader, 'card-removed');
      changed();
    },
    stopService: () => {
      if (!isRunning) return;
      isRunning = false;
      for (const reader of readers.values()) finish(reader, 'service-missing');
      changed();
    },
    startService: () => {
      if (isRunning) return;
      isRunning = true;
      for (const reader of readers.values()) begin(reader);
      changed();
    },
  };
}

function stateOf({ name, events, stay }: Reader): ReaderState {
  if (!stay) return { name, card: 'absent', events };
  const { atr } = stay.device;
  return atr.length === 0 ? { name, card: 'mute', events } : { name, card: 'present', atr, events };
}

function openStay(device: CardDevice): Stay {
  let reject: (error: CardError) => void = () => undefined;
  const ended = new Promise<never>((_, fail) => {
    reject = fail;
  });
  ended.catch(() => undefined);
  const stay: Stay = {
    device,
    resets: 0,
    queue: [],
    holder: undefined,
    ended,
    fault: undefined,
    end: (fault) => {
      stay.fault = fault;
      reject(new CardError(fault));
    },
  };
  return stay;
}

/** Waits until nobody else has the card, then has it. A connection that already has it goes on. */
async function take(stay: Stay, who: symbol): Promise<void> {
  while (stay.holder !== undefined && stay.holder !== who) {
    const free = new Promise<void>((resolve) => stay.queue.push(resolve));
    await Promise.race([free, stay.ended]);
  }
  if (stay.fault) throw new CardError(stay.fault);
  stay.holder = who;
}

function release(stay: Stay, who: symbol): void {
  if (stay.holder !== who) return;
  stay.holder = undefined;
  for (const wake of stay.queue.splice(0)) wake();
}

function connectStay(
  reader: ReaderName,
  stay: Stay,
  onTorn: (stay: Stay) => void,
  onEnd: () => void,
): CardConnection {
  const who = Symbol(reader);
  let resetsSeen = stay.resets;
  let inTransaction = false;
  let isOpen = true;
  let last: Promise<unknown> = Promise.resolve();
  let ending: Promise<void> | undefined;

  /** One operation at a time and connection, with the card to itself. */
  const inTurn = <T>(operation: () => Promise<T>, mayBeReset = false): Promise<T> => {
    const turn = last.then(async () => {
      await soon();
      if (stay.fault) throw new CardError(stay.fault);
      if (!isOpen) throw new CardError('communication', 'disconnected');
      if (stay.resets !== resetsSeen && !mayBeReset) throw new CardError('card-reset');
      await take(stay, who);
      try {
        if (stay.resets !== resetsSeen && !mayBeReset) throw new CardError('card-reset');
        return await Promise.race([operation(), stay.ended]);
      } finally {
        if (!inTransaction) release(stay, who);
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  };

  const command = async (bytes: Uint8Array): Promise<Uint8Array> => {
    try {
      return await stay.device.transmit(bytes);
    } catch (error) {
      if (!(error instanceof PowerLost)) throw new CardError('communication');
      if (!stay.fault) onTorn(stay);
      throw new CardError(stay.fault ?? 'card-removed');
    }
  };

  const end = async (how: 'leave' | 'reset' | 'unpower'): Promise<void> => {
    await last;
    isOpen = false;
    inTransaction = false;
    release(stay, who);
    onEnd();
    if (how === 'leave' || stay.fault) return;
    stay.resets += 1;
    if (how === 'reset') stay.device.reset();
    else {
      stay.device.powerOff();
      stay.device.powerOn();
    }
  };

  return {
    reader,
    atr: stay.device.atr,
    transmit: (bytes) => inTurn(() => command(bytes)),
    beginTransaction: () =>
      inTurn(async () => {
        inTransaction = true;
      }),
    endTransaction: () =>
      inTurn(async () => {
        inTransaction = false;
      }),
    reset: () =>
      inTurn(async () => {
        stay.device.reset();
        stay.resets += 1;
        resetsSeen = stay.resets;
      }, true),
    disconnect: (how = 'leave') => {
      ending ??= end(how);
      return ending;
    },
  };
}

/** The next turn of the event loop: nothing over a service answers at once. */
function soon(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
