/**
 * The PC/SC API as its own headers declare it, loaded with koffi. Nothing is interpreted here: every call gives its
 * return code (`rv`, unsigned 32 bits) and its outputs. Calls that can wait for a card, a reader or the service run on
 * libuv's thread pool, so as many can wait at once as that pool has threads: see thread-pool.ts.
 */
import koffi from 'koffi';
import { type PcscAbi, pcscAbi } from './abi.ts';
import { SCARD } from './codes.ts';
import { ReaderNames } from './reader-names.ts';
import { scardStructs } from './structs.ts';

/** SCARDCONTEXT or SCARDHANDLE; a bigint where it does not fit a number. */
export type ScardHandle = number | bigint;

/** A reader to be watched: what the caller believes, and after the call what is. */
export interface ScardReaderState {
  readonly szReader: string;
  readonly dwCurrentState: number;
  readonly dwEventState: number;
  readonly atr: Uint8Array;
}

/** The PC/SC functions we use. */
export interface Winscard {
  /** Whether readers coming and going can be waited for. */
  readonly pnp: boolean;
  SCardEstablishContext(dwScope: number): Promise<{ rv: number; context: ScardHandle }>;
  SCardReleaseContext(context: ScardHandle): Promise<number>;
  /** Quick on every system, hence not on the pool. */
  SCardIsValidContext(context: ScardHandle): number;
  /** Ends a waiting SCardGetStatusChange of that context. Not on the pool: it must get through when that is full. */
  SCardCancel(context: ScardHandle): number;
  SCardListReaders(context: ScardHandle): Promise<{ rv: number; readers: string[] }>;
  /** `dwTimeout` in ms. */
  SCardGetStatusChange(
    context: ScardHandle,
    dwTimeout: number,
    readers: readonly Pick<ScardReaderState, 'szReader' | 'dwCurrentState'>[],
  ): Promise<{ rv: number; states: ScardReaderState[] }>;
  SCardConnect(
    context: ScardHandle,
    szReader: string,
    dwShareMode: number,
    dwPreferredProtocols: number,
  ): Promise<{ rv: number; card: ScardHandle; protocol: number }>;
  SCardReconnect(
    card: ScardHandle,
    dwShareMode: number,
    dwPreferredProtocols: number,
    dwInitialization: number,
  ): Promise<{ rv: number; protocol: number }>;
  SCardDisconnect(card: ScardHandle, dwDisposition: number): Promise<number>;
  SCardBeginTransaction(card: ScardHandle): Promise<number>;
  SCardEndTransaction(card: ScardHandle, dwDisposition: number): Promise<number>;
  SCardStatus(card: ScardHandle): Promise<{ rv: number; state: number; protocol: number; atr: Uint8Array }>;
  /** Writes the answer into `receive`; `length` is how much of it. */
  SCardTransmit(
    card: ScardHandle,
    protocol: number,
    send: Uint8Array,
    receive: Uint8Array,
  ): Promise<{ rv: number; length: number }>;
}

/** The smart card library is not on this machine. */
export class PcscNotInstalled extends Error {
  constructor(tried: readonly string[]) {
    super(`no PC/SC library: ${tried.join(', ')}`);
    this.name = 'PcscNotInstalled';
  }
}

type NativeFunction = ReturnType<ReturnType<typeof koffi.load>['func']>;

const LIST_BYTES = 4096;
const loaded = new Map<string, Winscard>();

/**
 * The PC/SC API of this machine; loaded once a process and library.
 * @throws PcscNotInstalled when the library or one of its functions is not there.
 */
export function loadWinscard(library?: string): Winscard {
  const abi = pcscAbi(process.platform);
  const names = library === undefined ? abi.libraries : [library];
  const key = names.join('\n');
  const known = loaded.get(key);
  if (known) return known;
  for (const name of names) {
    try {
      const api = bind(koffi.load(name), abi);
      loaded.set(key, api);
      return api;
    } catch {
      // Not there, or not a PC/SC library: the next one, if there is one.
    }
  }
  throw new PcscNotInstalled(names);
}

/** Runs a native function on the pool; the arguments stay referenced until it is done. */
function onPool(fn: NativeFunction, ...args: readonly unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    fn.async(...args, (error: unknown, rv: unknown) => {
      if (error) reject(error instanceof Error ? error : new Error(String(error)));
      else resolve(unsigned(rv));
    });
  });
}

function unsigned(rv: unknown): number {
  return Number(rv) >>> 0;
}

function handleOf(out: readonly unknown[]): ScardHandle {
  const [value] = out;
  return typeof value === 'bigint' ? value : Number(value);
}

/** SCARD_READERSTATE as koffi gives it back. */
interface NativeReaderState {
  readonly dwEventState: unknown;
  readonly cbAtr: unknown;
  readonly rgbAtr: Uint8Array;
}

function bind(library: ReturnType<typeof koffi.load>, abi: PcscAbi): Winscard {
  const { DWORD, LONG, HANDLE, LPCSTR, atrBytes } = abi;
  const { SCARD_IO_REQUEST, SCARD_READERSTATE } = scardStructs(abi);
  const pci = koffi.sizeof(SCARD_IO_REQUEST);
  const outHandle = koffi.out(koffi.pointer(HANDLE));
  const outDword = koffi.out(koffi.pointer(DWORD));
  const inoutDword = koffi.inout(koffi.pointer(DWORD));
  const bytes = koffi.pointer('uint8_t');
  const fn = (name: string, ...parameters: Parameters<typeof library.func>[3]): NativeFunction =>
    library.func(abi.convention, name, LONG, parameters);

  const establish = fn('SCardEstablishContext', DWORD, 'void *', 'void *', outHandle);
  const release = fn('SCardReleaseContext', HANDLE);
  const isValid = fn('SCardIsValidContext', HANDLE);
  const cancel = fn('SCardCancel', HANDLE);
  const list = fn(`SCardListReaders${abi.suffix}`, HANDLE, 'void *', bytes, inoutDword);
  const states = koffi.inout(koffi.pointer(SCARD_READERSTATE));
  const statusChange = fn(`SCardGetStatusChange${abi.suffix}`, HANDLE, DWORD, states, DWORD);
  const connect = fn(`SCardConnect${abi.suffix}`, HANDLE, LPCSTR, DWORD, DWORD, outHandle, outDword);
  const reconnect = fn('SCardReconnect', HANDLE, DWORD, DWORD, DWORD, outDword);
  const disconnect = fn('SCardDisconnect', HANDLE, DWORD);
  const begin = fn('SCardBeginTransaction', HANDLE);
  const end = fn('SCardEndTransaction', HANDLE, DWORD);
  const status = fn(
    `SCardStatus${abi.suffix}`,
    HANDLE,
    bytes,
    inoutDword,
    outDword,
    outDword,
    bytes,
    inoutDword,
  );
  const names = new ReaderNames(abi.encoding);
  const io = koffi.pointer(SCARD_IO_REQUEST);
  const transmit = fn('SCardTransmit', HANDLE, io, bytes, DWORD, 'void *', bytes, inoutDword);

  return {
    pnp: abi.pnp,
    async SCardEstablishContext(dwScope) {
      const out: unknown[] = [0];
      const rv = await onPool(establish, dwScope, null, null, out);
      return { rv, context: handleOf(out) };
    },
    SCardReleaseContext(context) {
      return onPool(release, context);
    },
    SCardIsValidContext(context) {
      return unsigned(isValid(context));
    },
    SCardCancel(context) {
      return unsigned(cancel(context));
    },
    async SCardListReaders(context) {
      const character = abi.encoding === 'utf8' ? 1 : 2;
      for (let size = LIST_BYTES; ; size *= 2) {
        const text = Buffer.alloc(size);
        const length: unknown[] = [size / character];
        const rv = await onPool(list, context, null, text, length);
        if (rv === SCARD.E_INSUFFICIENT_BUFFER && size < LIST_BYTES * 64) continue;
        const used = rv === SCARD.S_SUCCESS ? Number(length[0]) * character : 0;
        return { rv, readers: names.read(text.subarray(0, used)) };
      }
    },
    async SCardGetStatusChange(context, dwTimeout, readers) {
      const native = readers.map((reader) => ({
        szReader: names.given(reader.szReader),
        pvUserData: null,
        dwCurrentState: reader.dwCurrentState,
        dwEventState: 0,
        cbAtr: 0,
        rgbAtr: new Uint8Array(atrBytes),
      }));
      const rv = await onPool(statusChange, context, dwTimeout, native, native.length);
      return { rv, states: readers.map((reader, i) => readState(reader, native[i], atrBytes)) };
    },
    async SCardConnect(context, szReader, dwShareMode, dwPreferredProtocols) {
      const card: unknown[] = [0];
      const protocol: unknown[] = [0];
      const rv = await onPool(
        connect,
        context,
        names.given(szReader),
        dwShareMode,
        dwPreferredProtocols,
        card,
        protocol,
      );
      return { rv, card: handleOf(card), protocol: Number(protocol[0]) };
    },
    async SCardReconnect(card, dwShareMode, dwPreferredProtocols, dwInitialization) {
      const protocol: unknown[] = [0];
      const rv = await onPool(reconnect, card, dwShareMode, dwPreferredProtocols, dwInitialization, protocol);
      return { rv, protocol: Number(protocol[0]) };
    },
    SCardDisconnect(card, dwDisposition) {
      return onPool(disconnect, card, dwDisposition);
    },
    SCardBeginTransaction(card) {
      return onPool(begin, card);
    },
    SCardEndTransaction(card, dwDisposition) {
      return onPool(end, card, dwDisposition);
    },
    async SCardStatus(card) {
      const name = Buffer.alloc(LIST_BYTES);
      const nameLength: unknown[] = [LIST_BYTES / 2];
      const state: unknown[] = [0];
      const protocol: unknown[] = [0];
      const atr = new Uint8Array(atrBytes);
      const atrLength: unknown[] = [atrBytes];
      const rv = await onPool(status, card, name, nameLength, state, protocol, atr, atrLength);
      const used = rv === SCARD.S_SUCCESS ? Math.min(Number(atrLength[0]), atrBytes) : 0;
      return { rv, state: Number(state[0]), protocol: Number(protocol[0]), atr: atr.slice(0, used) };
    },
    async SCardTransmit(card, protocol, send, receive) {
      const length: unknown[] = [receive.length];
      const request = { dwProtocol: protocol, cbPciLength: pci };
      const rv = await onPool(transmit, card, request, send, send.length, null, receive, length);
      return { rv, length: rv === SCARD.S_SUCCESS ? Math.min(Number(length[0]), receive.length) : 0 };
    },
  };
}

function readState(
  asked: Pick<ScardReaderState, 'szReader' | 'dwCurrentState'>,
  native: NativeReaderState | undefined,
  atrBytes: number,
): ScardReaderState {
  const length = Math.min(Number(native?.cbAtr ?? 0), atrBytes);
  return {
    szReader: asked.szReader,
    dwCurrentState: asked.dwCurrentState,
    dwEventState: unsigned(native?.dwEventState ?? 0),
    atr: native === undefined ? new Uint8Array(0) : Uint8Array.from(native.rgbAtr.slice(0, length)),
  };
}
