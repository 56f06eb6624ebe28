/** What vpcd is to a card: it listens, and the card that connects is in its reader. */
import { createServer, type Socket } from 'node:net';
import type { CardDevice } from '../../app/simulator/device.ts';

/** A reader of a vpcd of the tests' own. */
export interface VpcdPeer {
  readonly port: number;
  /** The next card that is put in, powered as pcscd does it. */
  inserted(): Promise<InsertedPeer>;
  /** The service ends, and with it what is connected. */
  close(): Promise<void>;
}

/** A card in the reader. */
export interface InsertedPeer extends CardDevice {
  /** Resolves when the card has been taken out. */
  readonly removed: Promise<void>;
}

/** Listens on `port`, or on a free one. */
export async function listenAsVpcd(port = 0): Promise<VpcdPeer> {
  const waiting: ((socket: Socket) => void)[] = [];
  const arrived: Socket[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => undefined);
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(socket);
    else taker(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    inserted: async () => {
      const socket = arrived.shift() ?? (await new Promise<Socket>((resolve) => void waiting.push(resolve)));
      return await powered(socket);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function powered(socket: Socket): Promise<InsertedPeer> {
  let bytes: Buffer = Buffer.alloc(0);
  let told = () => {};
  socket.on('data', (piece: Buffer) => {
    bytes = Buffer.concat([bytes, piece]);
    told();
  });
  const removed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      told();
      resolve();
    });
  });
  const write = (payload: Uint8Array) => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(payload.length);
    socket.write(Buffer.concat([head, payload]));
  };
  const ask = async (payload: Uint8Array): Promise<Uint8Array> => {
    write(payload);
    for (;;) {
      const length = bytes.length >= 2 ? 2 + bytes.readUInt16BE(0) : Number.POSITIVE_INFINITY;
      if (bytes.length >= length) {
        const answer = Uint8Array.from(bytes.subarray(2, length));
        bytes = bytes.subarray(length);
        return answer;
      }
      if (socket.destroyed) throw new Error('the card went');
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
  };
  write(Uint8Array.of(1));
  const atr = await ask(Uint8Array.of(4));
  return {
    atr,
    removed,
    powerOn: () => write(Uint8Array.of(1)),
    powerOff: () => write(Uint8Array.of(0)),
    reset: () => write(Uint8Array.of(2)),
    transmit: ask,
  };
}
