/**
 * The link that puts a card into a reader of vpcd (the virtual reader driver of the vsmartcard project): connecting
 * to its TCP port inserts the card, disconnecting pulls it. Frames: 2-byte big-endian length, then payload; a payload
 * of one byte is a control code, anything longer a command APDU.
 */
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CardDevice, PowerLost } from './device.ts';

/** vpcd's own default port; every further reader of a pcscd has its own. */
export const VPCD_PORT = 0x8c7b;

const CONTROL = { off: 0, on: 1, reset: 2, atr: 4 } as const;
const HEADER = 2;
const MAX_PAYLOAD = 0xffff;
/** Two full frames. vpcd sends one command and waits for its answer: a peer that sends more than this without waiting is something else. */
const MAX_BACKLOG = 2 * (HEADER + MAX_PAYLOAD);
/** pcscd looks at each slot every 400 ms (PCSCLITE_STATUS_POLL_RATE); with room for a busy machine. */
const LOOK_MS = 600;
const SETTLE_MS = 2000;
const WRONG_LENGTH = Uint8Array.of(0x67, 0x00);

/**
 * Why a card is no longer in its reader: `removed` by us, `torn` because the card itself lost power in the middle of a
 * command, `service` because vpcd closed the connection (its pcscd ended), `fault` when the device threw or the peer
 * does not speak vpcd's protocol.
 */
export type RemovalReason = 'removed' | 'torn' | 'service' | 'fault';

/** See `InsertedCard.onRemoved`. */
type RemovalListener = (reason: RemovalReason, cause?: unknown) => void;

/** A card that is in a reader. */
export interface InsertedCard {
  /**
   * Pulls the card: its power is gone at once. Resolves when the command it was in, if any, has come to its end, so
   * that the card's file is at rest (a card that never answers is waited for no longer than 2 s).
   */
  remove(): Promise<void>;
  /**
   * Resolves when the service has powered the card and read its ATR, which is when clients find it: pcscd looks at each
   * slot only every 400 ms. Never for a card that goes before.
   */
  readonly noticed: Promise<void>;
  /** Calls back once when the card is out, at once if it already is; `cause` is what the device threw, if it did. */
  onRemoved(listener: RemovalListener): void;
  /**
   * Resolves when pcscd has noticed. A next card put in earlier may go unseen, and the service goes on with the old
   * card's state: when vpcd meets the closed connection in a command or while powering down, it takes the next card
   * without a word; only an empty slot at pcscd's next look is a removal.
   */
  readonly vacated: Promise<void>;
}

/** Which reader, and which card. */
interface InsertOptions {
  readonly host?: string;
  readonly port: number;
  readonly device: CardDevice;
}

/**
 * Puts `device` into the reader that listens on `port`.
 * @throws Error (of node:net, with its `code`) when nothing listens there.
 */
export async function insertCard({ host = '127.0.0.1', port, device }: InsertOptions): Promise<InsertedCard> {
  const socket = createConnection({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => {
      socket.off('error', reject);
      resolve();
    });
    socket.once('error', reject);
  });
  return attach(socket, device);
}

function attach(socket: Socket, device: CardDevice): InsertedCard {
  const frames = frameReader();
  const listeners: RemovalListener[] = [];
  let removal: RemovalReason | undefined;
  let thrown: unknown;
  let isWorking = false;
  let atRest: Promise<void> = Promise.resolve();

  let notice: () => void = () => undefined;
  const noticed = new Promise<void>((resolve) => {
    notice = resolve;
  });
  let isPowered = false;

  const pull = (reason: RemovalReason): void => {
    if (removal) return;
    removal = reason;
    // Half closed, so that vpcd's own closing can be seen; what it still sends is dropped.
    socket.end();
    device.powerOff();
    for (const listener of listeners.splice(0)) listener(reason, thrown);
  };

  const work = async (): Promise<void> => {
    isWorking = true;
    try {
      for (let payload = frames.next(); payload && !removal; payload = frames.next()) {
        const answer = await react(device, payload);
        if (answer && !removal) socket.write(frame(answer));
        const control = payload.length === 1 ? payload[0] : undefined;
        if (control === CONTROL.on) isPowered = true;
        else if (control === CONTROL.atr && isPowered) notice();
      }
    } catch (error) {
      thrown = error;
      pull(error instanceof PowerLost ? 'torn' : 'fault');
    } finally {
      isWorking = false;
    }
  };

  const vacated = new Promise<void>((resolve) => {
    socket.once('close', () => {
      const isServiceGone = removal === undefined || removal === 'service';
      pull('service');
      if (isServiceGone) resolve();
      else setTimeout(resolve, LOOK_MS).unref();
    });
  });
  socket.on('error', () => pull('service'));
  socket.on('end', () => pull('service'));
  socket.on('data', (bytes: Buffer) => {
    if (removal) return;
    if (frames.push(bytes) <= MAX_BACKLOG) {
      if (!isWorking) atRest = work();
    } else {
      pull('fault');
      socket.destroy();
    }
  });

  return {
    noticed,
    remove: async () => {
      pull('removed');
      await Promise.race([atRest, sleep(SETTLE_MS, undefined, { ref: false })]);
    },
    onRemoved: (listener) => {
      if (removal) listener(removal, thrown);
      else listeners.push(listener);
    },
    vacated,
  };
}

/** What the card does with one payload; undefined when vpcd expects no answer. */
async function react(device: CardDevice, payload: Uint8Array): Promise<Uint8Array | undefined> {
  if (payload.length > 1) return payload.length < 4 ? WRONG_LENGTH : answerOf(device, payload);
  switch (payload[0]) {
    case CONTROL.off:
      device.powerOff();
      return undefined;
    case CONTROL.on:
      device.powerOn();
      return undefined;
    case CONTROL.reset:
      device.reset();
      return undefined;
    case CONTROL.atr:
      return device.atr;
    default:
      return undefined;
  }
}

async function answerOf(device: CardDevice, command: Uint8Array): Promise<Uint8Array> {
  const answer = await device.transmit(command);
  if (answer.length > MAX_PAYLOAD) throw new RangeError('answer longer than a frame');
  return answer;
}

/** Length and payload in one piece: sent apart they would wait for each other's acknowledgement. */
function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + payload.length);
  new DataView(bytes.buffer).setUint16(0, payload.length);
  bytes.set(payload, HEADER);
  return bytes;
}

/** Collects bytes into frames. `push` gives the number of bytes waiting; empty frames are passed over. */
function frameReader(): { push(bytes: Uint8Array): number; next(): Uint8Array | undefined } {
  let waiting: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      waiting = Buffer.concat([waiting, bytes]);
      return waiting.length;
    },
    next() {
      while (waiting.length >= HEADER) {
        const length = waiting.readUInt16BE(0);
        if (waiting.length < HEADER + length) return undefined;
        const payload = Uint8Array.from(waiting.subarray(HEADER, HEADER + length));
        waiting = waiting.subarray(HEADER + length);
        if (length > 0) return payload;
      }
      return undefined;
    },
  };
}
