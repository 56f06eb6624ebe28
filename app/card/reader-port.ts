/**
 * The port through which everything reaches readers and cards: PC/SC behind it in the field, an in-process virtual
 * reader where there is no PC/SC. Names follow PC/SC part 5.
 */

/** A reader's name as its driver gives it. */
export type ReaderName = string;

/** What is in a reader. `mute`: something is in it that does not answer (upside down, dead, not a chip card). */
export type CardPresence = 'absent' | 'present' | 'mute';

/** A cached copy of one reader's state; reading it never waits for a card. */
export interface ReaderState {
  readonly name: ReaderName;
  readonly card: CardPresence;
  /** Answer to reset, when a card is present. */
  readonly atr?: Uint8Array;
  /** Grows whenever a card comes or goes, also when both happened between two looks. */
  readonly events: number;
}

/** Why the smart card service cannot be used. */
export type ServiceFault = 'not-installed' | 'not-running' | 'refused';

/** Everything known of the service and its readers, as one value. */
export type ReadersState =
  | { readonly service: 'starting' }
  | { readonly service: 'missing'; readonly fault: ServiceFault }
  | { readonly service: 'running'; readonly readers: readonly ReaderState[] };

/** What can go wrong between us and a card; told apart because the next step differs. */
export type CardFault =
  | 'service-missing'
  | 'reader-lost'
  | 'card-absent'
  | 'card-removed'
  | 'card-reset'
  | 'card-mute'
  | 'card-held'
  | 'communication';

/** A fault of service, reader or card. `detail` is for the log (a PC/SC return code), never for staff. */
export class CardError extends Error {
  readonly fault: CardFault;
  readonly detail: string;
  constructor(fault: CardFault, detail = '') {
    super(detail === '' ? fault : `${fault} (${detail})`);
    this.name = 'CardError';
    this.fault = fault;
    this.detail = detail;
  }
}

/** One open connection to the card that was present when it was made. */
export interface CardConnection {
  readonly reader: ReaderName;
  readonly atr: Uint8Array;
  /**
   * Sends one command and gives the whole answer, data and status word (61xx and 6Cxx are left to the caller).
   * @throws CardError; `card-removed` also where PC/SC reports success with an empty answer.
   */
  transmit(command: Uint8Array): Promise<Uint8Array>;
  /** Nobody else reaches the card between these two. @throws CardError */
  beginTransaction(): Promise<void>;
  endTransaction(): Promise<void>;
  /** Resets the card: its security state and challenges are gone. @throws CardError */
  reset(): Promise<void>;
  /** Closes the connection; the card stays powered unless `unpower`. Never throws. */
  disconnect(how?: 'leave' | 'reset' | 'unpower'): Promise<void>;
}

/** All readers of this machine. */
export interface ReaderPort {
  readonly state: ReadersState;
  /** Calls back with each new state, soon after it changed. Gives the function that ends it. */
  subscribe(listener: (state: ReadersState) => void): () => void;
  /**
   * Connects exclusively-enough to work: shared mode, any protocol. Waits while another connection has a transaction.
   * @throws CardError
   */
  connect(reader: ReaderName): Promise<CardConnection>;
  /** Stops watching and frees everything; commands still waiting for a card fail, after 1 s at the latest. */
  close(): Promise<void>;
}
