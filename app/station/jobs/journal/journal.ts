/**
 * The station's journal (design §3 "Station, each synced to disk") as its users see it: every method is one transaction, on the disk when
 * the method returns. The file behind it is in journal-file.ts.
 */
import type { JobRequest } from '../../../protocol/wire.ts';
import type { Write } from '../machine/events.ts';
import type { DiskReserveOptions } from './disk-reserve.ts';
import type { JournalJob, UnfinishedJob } from './rows.ts';

/** Every method throws KaikaError station-disk-full when nothing can be written. */
export interface Journal {
  /** Whether there is room to begin a job and to bring it to its end. */
  hasRoom(): boolean;
  /** (1) before POST /v1/jobs. Epoch `request.cardEpoch` is bound to the card in the reader. */
  begin(request: JobRequest, identification: string, now: number): void;
  /** (3) before a command marked `effect`. */
  noteEffect(requestId: string, index: number): void;
  /**
   * Everything else that is on the disk before what follows from it: (2) the reply, and "started", before the first command; (4) the
   * answers before they are posted; that staff gave the job up; how it ended. `now`: milliseconds since 1970.
   */
  write(requestId: string, what: Write, now: number): void;
  /** Receipts that were not yet given back to a server whose store has this generation, oldest first. */
  receiptsFor(generation: number, limit: number): readonly KeptReceipt[];
  /** They were. */
  receiptsSent(requestIds: readonly string[], generation: number): void;
  /** Jobs in hand, oldest first. */
  unfinished(): readonly UnfinishedJob[];
  find(requestId: string): JournalJob | undefined;
  /** Overwrites what was dropped, so that no key write stays readable in the file. Throws nothing. */
  scrub(): void;
  /** Tries that the card's keys lost at this station since they were last right, by the key's name in the job's machine. */
  triesLost(card: string): Readonly<Record<string, number>>;
  /** Keeps that number; none of them is kept as no number. */
  noteTriesLost(card: string, key: string, lost: number): void;
  /** Small numbers kept over a restart. */
  fact(name: string): number | undefined;
  setFact(name: string, value: number): void;
  close(): void;
}

export interface KeptReceipt {
  readonly requestId: string;
  readonly receipt: string;
}

export interface JournalOptions {
  readonly reserve?: DiskReserveOptions;
  /** Milliseconds to wait for another process that holds the file; 2 s. Nothing else is done meanwhile. */
  readonly patienceMs?: number;
}
