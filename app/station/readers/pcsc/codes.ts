/** PC/SC return codes, states and modes (PC/SC part 5; values of winscard.h and pcsclite.h) and what they mean to us. */
import { CardError, type CardFault, type ServiceFault } from '../../../card/reader-port.ts';

/** Return codes, as unsigned 32-bit numbers. */
export const SCARD = {
  S_SUCCESS: 0,
  F_INTERNAL_ERROR: 0x80100001,
  E_CANCELLED: 0x80100002,
  E_INVALID_HANDLE: 0x80100003,
  E_INSUFFICIENT_BUFFER: 0x80100008,
  E_UNKNOWN_READER: 0x80100009,
  E_TIMEOUT: 0x8010000a,
  E_SHARING_VIOLATION: 0x8010000b,
  E_NO_SMARTCARD: 0x8010000c,
  E_PROTO_MISMATCH: 0x8010000f,
  E_SYSTEM_CANCELLED: 0x80100012,
  F_COMM_ERROR: 0x80100013,
  E_NOT_TRANSACTED: 0x80100016,
  E_READER_UNAVAILABLE: 0x80100017,
  P_SHUTDOWN: 0x80100018,
  E_NO_SERVICE: 0x8010001d,
  E_SERVICE_STOPPED: 0x8010001e,
  E_NO_READERS_AVAILABLE: 0x8010002e,
  E_NO_ACCESS: 0x80100027,
  E_COMM_DATA_LOST: 0x8010002f,
  W_UNSUPPORTED_CARD: 0x80100065,
  W_UNRESPONSIVE_CARD: 0x80100066,
  W_UNPOWERED_CARD: 0x80100067,
  W_RESET_CARD: 0x80100068,
  W_REMOVED_CARD: 0x80100069,
  W_SECURITY_VIOLATION: 0x8010006a,
} as const;

/** Win32 codes that winscard.dll passes through. */
const WIN32 = {
  ERROR_ACCESS_DENIED: 5,
  ERROR_INVALID_HANDLE: 6,
  ERROR_BROKEN_PIPE: 109,
} as const;

/** Bits of a reader's state (SCARD_READERSTATE); the high 16 bits count insertions and removals. */
export const SCARD_STATE = {
  UNAWARE: 0x0000,
  CHANGED: 0x0002,
  UNKNOWN: 0x0004,
  UNAVAILABLE: 0x0008,
  EMPTY: 0x0010,
  PRESENT: 0x0020,
  MUTE: 0x0200,
} as const;

export const SCARD_SCOPE_SYSTEM = 2;
export const SCARD_SHARE_SHARED = 2;
export const SCARD_PROTOCOL_T0 = 1;
export const SCARD_PROTOCOL_T1 = 2;

/** What happens to the card when a connection ends or begins anew (SCardDisconnect, SCardReconnect). */
export const SCARD_DISPOSITION = { leave: 0, reset: 1, unpower: 2 } as const;

/** The pseudo reader whose state changes when readers come and go. */
export const PNP_NOTIFICATION = '\\\\?PnP?\\Notification';

const FAULTS: ReadonlyMap<number, CardFault> = new Map<number, CardFault>([
  [SCARD.E_NO_SERVICE, 'service-missing'],
  [SCARD.E_SERVICE_STOPPED, 'service-missing'],
  [SCARD.E_SYSTEM_CANCELLED, 'service-missing'],
  [SCARD.P_SHUTDOWN, 'service-missing'],
  // pcsclite says these two when its daemon has gone: the socket broke, then the context is no longer known.
  [SCARD.F_COMM_ERROR, 'service-missing'],
  [SCARD.E_INVALID_HANDLE, 'service-missing'],
  [SCARD.W_SECURITY_VIOLATION, 'service-missing'],
  [SCARD.E_NO_ACCESS, 'service-missing'],
  [WIN32.ERROR_ACCESS_DENIED, 'service-missing'],
  [WIN32.ERROR_INVALID_HANDLE, 'service-missing'],
  [WIN32.ERROR_BROKEN_PIPE, 'service-missing'],
  [SCARD.E_UNKNOWN_READER, 'reader-lost'],
  [SCARD.E_READER_UNAVAILABLE, 'reader-lost'],
  [SCARD.E_NO_READERS_AVAILABLE, 'reader-lost'],
  [SCARD.E_NO_SMARTCARD, 'card-absent'],
  [SCARD.W_REMOVED_CARD, 'card-removed'],
  [SCARD.W_RESET_CARD, 'card-reset'],
  [SCARD.W_UNSUPPORTED_CARD, 'card-mute'],
  [SCARD.W_UNRESPONSIVE_CARD, 'card-mute'],
  [SCARD.W_UNPOWERED_CARD, 'card-mute'],
  [SCARD.E_SHARING_VIOLATION, 'card-held'],
]);

/** The fault behind a return code; whatever is not listed is a disturbed conversation: `communication`. */
export function faultOf(rv: number): CardFault {
  return FAULTS.get(rv) ?? 'communication';
}

/** The error for a return code; its detail is the call and the code. */
export function cardError(call: string, rv: number): CardError {
  return new CardError(faultOf(rv), `${call} ${codeText(rv)}`);
}

/** Why the service cannot be used, from the return code of SCardEstablishContext. */
export function serviceFaultOf(rv: number): ServiceFault {
  return rv === SCARD.W_SECURITY_VIOLATION || rv === SCARD.E_NO_ACCESS || rv === WIN32.ERROR_ACCESS_DENIED
    ? 'refused'
    : 'not-running';
}

/** A return code as it is looked up: eight hexadecimal digits. */
function codeText(rv: number): string {
  return `0x${rv.toString(16).toUpperCase().padStart(8, '0')}`;
}
