/** What an engine is given and what it offers: plain values and plain requests, for a screen and for a command line alike. */
import type { ReaderPort } from '../card/reader-port.ts';
import type { Catalogue } from '../catalogue/schema.ts';
import type { CardRecord } from '../protocol/card-record.ts';
import type { JournalOptions } from './jobs/journal/journal.ts';
import type { Clock, Log } from './ports.ts';
import type { StartRequest } from './readers/start-request.ts';
import type { HeardTime, ServerClient } from './server/client.ts';
import type { Notification, OperatorView, ServerView, Snapshot } from './views.ts';

/** What the client is told of earlier runs, and tells for later ones. */
interface ClientMemory {
  readonly heard?: HeardTime;
  readonly onTime: (heard: HeardTime) => void;
  readonly onStoreGeneration: (generation: number) => void;
}

export interface EngineOptions {
  /** The installation's folder; made where there is none. */
  readonly folder: string;
  readonly readers: ReaderPort;
  /** Makes the client, e.g. `(memory) => createServerClient({ ...configuration, clock, ...memory })`. */
  readonly server: (memory: ClientMemory) => ServerClient;
  readonly catalogue: Catalogue;
  /** Whether a key's last try may be sent from here (station.json, `lastTries`); no. */
  readonly lastTries?: boolean;
  readonly clock: Clock;
  readonly log?: Log;
  readonly journal?: JournalOptions;
  /** Milliseconds after which a first request without an answer is given up; 30 s. */
  readonly startLimitMs?: number;
}

export interface Person {
  readonly operator: string;
  readonly secret: string;
}

export interface Deletion {
  readonly reader: string;
  readonly app: string;
}

export interface Engine {
  snapshot(): Snapshot;
  /** Calls back with the snapshot at once, then with each change. Gives the function that ends it. */
  subscribe(listener: (notification: Notification) => void): () => void;
  /**
   * `newSecret`: the one that they choose in place of theirs.
   * @throws KaikaError sign-in-failed, secret-change-needed for a secret that somebody else made, not-permitted for somebody of another branch, or
   * why the server was not reached.
   */
  signIn(operator: string, secret: string, newSecret?: string): Promise<OperatorView>;
  signOut(): void;
  /**
   * A second person confirms that this app of the card in `reader` is deleted, with what its purse says now. Gives a handle to put into the
   * wish's `confirmedBy`; the token itself does not leave the engine.
   * @throws KaikaError no-reader, no-card, unknown-card, sign-in-failed, or why the server was not reached.
   */
  confirm(person: Person, deletion: Deletion): Promise<string>;
  /**
   * Begins a job on the card in `reader`. Resolves with the job's id when it is in the journal; how it goes is shown.
   * @throws KaikaError session-expired, account-invalid, bad-request, no-card, job-in-hand, unknown-card, other-card,
   * station-disk-full, or a fault of the card.
   */
  startJob(reader: string, request: StartRequest): Promise<string>;
  /** Gives up a job that waits. @throws KaikaError not-found; job-in-hand while its commands run. */
  abandon(job: string): void;
  /** Reads the card again; also ends the show of a job that has ended. @throws KaikaError no-reader */
  relook(reader: string): void;
  /**
   * Asks the server for a sign of life. Gives what is known of it afterwards: that it is away is no error here.
   * @throws KaikaError session-expired when it says that whoever is signed in here is not any more: their session is over, or they were shut out
   */
  checkServer(): Promise<ServerView>;
  /** What the server's records say of a card. */
  card(identification: string): Promise<CardRecord>;
  /** Ends after the batches that are running. Jobs in hand are taken up again by the next engine on the folder. */
  close(): Promise<void>;
}
