/**
 * The lines to the server: how many there may be, of whom, how long one lasts, and that it carries one request at a time. Holding a line costs its
 * owner nothing and the server memory, so each station, each address and everybody together have so many and no more.
 */
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Throttle } from '../access/throttle.ts';
import type { Limits } from '../limits.ts';
import { addressOf } from './address.ts';
import { peerOf } from './peer.ts';

/** How long a handshake may take, a request's headers and a whole request, ms. Node looks every `CHECK_MS` who has taken longer. */
export const HANDSHAKE_MS = 10_000;
export const HEADERS_MS = 10_000;
export const REQUEST_MS = 30_000;
export const CHECK_MS = 1_000;
/** The greatest age of a line, ms: what was looked at when it was opened is looked at again by then. */
const OLDEST_MS = 15 * 60_000;
/** Handshakes under way, of one address and of all. Whoever is in one has shown nothing yet. */
const HANDSHAKES_OF_ADDRESS = 64;
const HANDSHAKES = 512;

/** Why a line was closed or not taken, for the figures. */
export type LineFault = 'address' | 'handshakes' | 'failed-handshakes' | 'station' | 'pipelining';

interface Line {
  readonly socket: TLSSocket;
  readonly opened: number;
  used: number;
  busy: boolean;
}

export class Lines {
  readonly #limits: Limits;
  readonly #refusals: Throttle;
  readonly #tell: (fault: LineFault) => void;
  readonly #now: () => number;
  readonly #lines = new WeakMap<object, Line>();
  readonly #ofStation = new Map<string, Set<Line>>();
  readonly #ofAddress = new Map<string, number>();
  /** Lines whose handshake is under way, by address and port, each with its address. */
  readonly #handshakes = new Map<string, string>();

  /** `refusals`: how often an address may fail a handshake. `now`: ms of a clock that never goes back. */
  constructor(
    limits: Limits,
    refusals: Throttle,
    tell: (fault: LineFault) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#limits = limits;
    this.#refusals = refusals;
    this.#tell = tell;
    this.#now = now;
  }

  /** Looks at every line of `server`, before it listens. */
  watch(server: Server): void {
    server.maxConnections = this.#limits.connections;
    server.on('connection', (socket: Socket) => this.#connected(socket));
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
  }

  /**
   * A request has come. False when one is in hand on this line already: then the line is closed. Stations send one after the other, and a
   * thousand requests in one packet would all be begun before anybody asked how often this station may.
   */
  begin(socket: object): boolean {
    const line = this.#lines.get(socket);
    if (line === undefined) return true;
    if (line.busy) {
      if (!line.socket.destroyed) this.#close(line.socket, 'pipelining');
      return false;
    }
    line.busy = true;
    line.used = this.#now();
    return true;
  }

  /** The request was answered. */
  end(socket: object): void {
    const line = this.#lines.get(socket);
    if (line !== undefined) line.busy = false;
  }

  /** Whether the line ends with the answer that is going out. */
  isOld(socket: object): boolean {
    const line = this.#lines.get(socket);
    return line !== undefined && this.#now() - line.opened > OLDEST_MS;
  }

  /** Before the handshake: whoever has too many lines, or failed too often, does not get one. */
  #connected(socket: Socket): void {
    const address = addressOf(socket.remoteAddress);
    const key = keyOf(socket);
    const fault = this.#faultOf(address);
    if (fault !== undefined) {
      this.#close(socket, fault);
      return;
    }
    this.#ofAddress.set(address, (this.#ofAddress.get(address) ?? 0) + 1);
    this.#handshakes.set(key, address);
    socket.once('close', () => {
      // Closed before it was secured: no certificate, a foreign one, one that ran out, or no TLS at all.
      if (this.#handshakes.delete(key)) this.#refusals.spend(address);
      const left = (this.#ofAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#ofAddress.delete(address);
      else this.#ofAddress.set(address, left);
    });
  }

  #faultOf(address: string): LineFault | undefined {
    if ((this.#ofAddress.get(address) ?? 0) >= this.#limits.connectionsPerAddress) return 'address';
    if (!this.#refusals.allows(address)) return 'failed-handshakes';
    if (this.#handshakes.size >= HANDSHAKES) return 'handshakes';
    let own = 0;
    for (const other of this.#handshakes.values()) if (other === address) own += 1;
    return own >= HANDSHAKES_OF_ADDRESS ? 'handshakes' : undefined;
  }

  /** After the handshake: one line too many of a station closes the one that it has not used for longest, or else does not stay itself. */
  #secured(socket: TLSSocket): void {
    this.#handshakes.delete(keyOf(socket));
    const fingerprint = peerOf(socket)?.fingerprint;
    if (fingerprint === undefined) return;
    const now = this.#now();
    const line: Line = { socket, opened: now, used: now, busy: false };
    this.#lines.set(socket, line);
    const own = this.#ofStation.get(fingerprint) ?? new Set();
    this.#ofStation.set(fingerprint, own);
    if (own.size >= this.#limits.connectionsPerStation) {
      const idle = [...own].filter(({ busy }) => !busy).sort((a, b) => a.used - b.used)[0];
      this.#close((idle ?? line).socket, 'station');
      if (idle === undefined) return;
      own.delete(idle);
    }
    own.add(line);
    socket.once('close', () => {
      own.delete(line);
      if (own.size === 0 && this.#ofStation.get(fingerprint) === own) this.#ofStation.delete(fingerprint);
    });
  }

  #close(socket: Socket, fault: LineFault): void {
    this.#tell(fault);
    socket.destroy();
  }
}

/** Both ends of a line as TCP has them: the same for a line before and after its handshake. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}
