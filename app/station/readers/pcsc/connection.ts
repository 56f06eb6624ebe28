/** One connection to one card, over a PC/SC context of its own. */
import {
  type CardConnection,
  CardError,
  type CardFault,
  type ReaderName,
} from '../../../card/reader-port.ts';
import {
  cardError,
  SCARD,
  SCARD_DISPOSITION,
  SCARD_PROTOCOL_T0,
  SCARD_PROTOCOL_T1,
  SCARD_SCOPE_SYSTEM,
  SCARD_SHARE_SHARED,
} from './codes.ts';
import { toTpdu } from './tpdu.ts';
import type { ScardHandle, Winscard } from './winscard.ts';

/** Windows resets a card after 5 s without an operation inside a transaction. */
const KEEP_ALIVE_MS = 4000;

/**
 * What a card is asked to speak, in turn: some promise both protocols in their answer to reset and speak one, and then nothing of them is to be
 * had with both. Each is asked for once: a card that is mute costs a reset each time.
 */
const PROTOCOLS = [SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, SCARD_PROTOCOL_T0, SCARD_PROTOCOL_T1] as const;
/** An extended answer and its status word. */
const RECEIVE_BYTES = 65536 + 2;
/** Faults after which this connection never reaches a card again; the first one stays the answer. */
const FINAL: ReadonlySet<CardFault> = new Set(['service-missing', 'reader-lost', 'card-removed']);

/** A connection as the port gives it, and how the port ends it. */
export interface PcscConnection extends CardConnection {
  /** Disconnects, but waits no longer than `patienceMs` for a card that does not answer. Gives whether it is done. */
  abandon(patienceMs: number): Promise<boolean>;
}

/**
 * Connects to the card in `reader`, shared, T=0 or T=1. A context of its own, because pcsclite lets one call at a time
 * through a context: a card that never answers then holds up nobody else.
 * @throws CardError
 */
export async function connectCard(
  api: Winscard,
  reader: ReaderName,
  keepAliveMs: number = KEEP_ALIVE_MS,
): Promise<PcscConnection> {
  const established = await api.SCardEstablishContext(SCARD_SCOPE_SYSTEM);
  if (established.rv !== SCARD.S_SUCCESS) throw cardError('SCardEstablishContext', established.rv);
  const { context } = established;
  try {
    const connected = await connectIn(api, context, reader);
    if (connected.rv !== SCARD.S_SUCCESS) throw cardError('SCardConnect', connected.rv);
    const status = await api.SCardStatus(connected.card);
    if (status.rv !== SCARD.S_SUCCESS) {
      await api.SCardDisconnect(connected.card, SCARD_DISPOSITION.leave);
      throw cardError('SCardStatus', status.rv);
    }
    return openConnection({ api, reader, context, keepAliveMs, ...connected, atr: status.atr });
  } catch (error) {
    await api.SCardReleaseContext(context);
    throw error;
  }
}

/** With the first choice of protocols that the card takes; where it takes none, what it said to the first. */
async function connectIn(api: Winscard, context: ScardHandle, reader: ReaderName) {
  const [both, ...single] = PROTOCOLS;
  const first = await api.SCardConnect(context, reader, SCARD_SHARE_SHARED, both);
  if (first.rv === SCARD.S_SUCCESS || !mayBeTheProtocol(first.rv)) return { ...first, protocols: both };
  for (const protocols of single) {
    const again = await api.SCardConnect(context, reader, SCARD_SHARE_SHARED, protocols);
    if (again.rv === SCARD.S_SUCCESS) return { ...again, protocols };
    if (!mayBeTheProtocol(again.rv)) break;
  }
  return { ...first, protocols: both };
}

function mayBeTheProtocol(rv: number): boolean {
  return rv === SCARD.E_PROTO_MISMATCH || rv === SCARD.W_UNRESPONSIVE_CARD;
}

interface Connected {
  readonly api: Winscard;
  readonly reader: ReaderName;
  readonly context: ScardHandle;
  readonly card: ScardHandle;
  readonly protocol: number;
  /** What it took; a reset asks for the same. */
  readonly protocols: number;
  readonly atr: Uint8Array;
  readonly keepAliveMs: number;
}

function openConnection({
  api,
  reader,
  context,
  card,
  atr,
  keepAliveMs,
  protocols,
  ...rest
}: Connected): PcscConnection {
  let protocol = rest.protocol;
  let final: CardError | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let ending: Promise<void> | undefined;
  let receive: Uint8Array | undefined;
  let inTransaction = false;
  let keepAlive: NodeJS.Timeout | undefined;

  const fail = (error: CardError): CardError => {
    if (FINAL.has(error.fault)) final ??= error;
    return final ?? error;
  };

  const check = async (call: string, rv: number): Promise<void> => {
    if (rv === SCARD.S_SUCCESS) return;
    const error = cardError(call, rv);
    if (error.fault !== 'communication') throw fail(error);
    // Drivers report a card pulled in the middle in many ways; the service knows better.
    const status = await api.SCardStatus(card);
    const known = status.rv === SCARD.S_SUCCESS ? error : cardError('SCardStatus', status.rv);
    throw fail(known.fault === 'communication' ? error : new CardError(known.fault, error.detail));
  };

  /** One operation at a time, in order; while idle in a transaction the card is kept awake. */
  const inTurn = <T>(operation: () => Promise<T>): Promise<T> => {
    const turn = last.then(async () => {
      if (final) throw final;
      clearTimeout(keepAlive);
      try {
        return await operation();
      } finally {
        if (inTransaction && !final) armKeepAlive();
      }
    });
    last = turn.catch(() => undefined);
    return turn;
  };

  const armKeepAlive = (): void => {
    clearTimeout(keepAlive);
    keepAlive = setTimeout(() => {
      // What it finds out is told by the caller's next operation.
      inTurn(async () => void (await api.SCardStatus(card))).catch(() => undefined);
    }, keepAliveMs);
    keepAlive.unref();
  };

  const end = async (how: 'leave' | 'reset' | 'unpower'): Promise<void> => {
    await last;
    final ??= new CardError('communication', 'disconnected');
    inTransaction = false;
    clearTimeout(keepAlive);
    try {
      await api.SCardDisconnect(card, SCARD_DISPOSITION[how]);
    } finally {
      await api.SCardReleaseContext(context);
    }
  };

  const disconnect = (how: 'leave' | 'reset' | 'unpower' = 'leave'): Promise<void> => {
    ending ??= end(how).catch(() => undefined);
    return ending;
  };

  return {
    reader,
    atr,
    transmit: (command) =>
      inTurn(async () => {
        receive ??= new Uint8Array(RECEIVE_BYTES);
        const tpdu = toTpdu(command, protocol);
        const { rv, length } = await api.SCardTransmit(card, protocol, tpdu, receive);
        const answer = receive.slice(0, length);
        receive.fill(0, 0, length);
        if (tpdu !== command && tpdu.buffer !== command.buffer) tpdu.fill(0);
        await check('SCardTransmit', rv);
        // A card pulled in the middle shows as success with nothing.
        if (answer.length < 2) throw fail(new CardError('card-removed', 'SCardTransmit without status word'));
        return answer;
      }),
    beginTransaction: () =>
      inTurn(async () => {
        await check('SCardBeginTransaction', await api.SCardBeginTransaction(card));
        inTransaction = true;
      }),
    endTransaction: () =>
      inTurn(async () => {
        inTransaction = false;
        await check('SCardEndTransaction', await api.SCardEndTransaction(card, SCARD_DISPOSITION.leave));
      }),
    reset: () =>
      inTurn(async () => {
        const reset = await api.SCardReconnect(card, SCARD_SHARE_SHARED, protocols, SCARD_DISPOSITION.reset);
        await check('SCardReconnect', reset.rv);
        protocol = reset.protocol;
      }),
    disconnect,
    abandon: async (patienceMs) => {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<boolean>((resolve) => {
        timer = setTimeout(() => resolve(false), patienceMs);
      });
      const isDone = await Promise.race([disconnect().then(() => true), patience]);
      clearTimeout(timer);
      return isDone;
    },
  };
}
