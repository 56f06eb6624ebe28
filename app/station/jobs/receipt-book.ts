/**
 * Receipts of this station's jobs, and giving them back: a server whose store was restored from a backup has forgotten what went on since,
 * and the stations have it in its own words (docs/recovery.md). Each answer of the server names its store's generation; one higher than before
 * means that it was restored.
 */
import { API_LEVEL, LIMITS } from '../../protocol/wire.ts';
import type { Clock, Log } from '../ports.ts';
import { RefusedError, type ServerClient } from '../server/client.ts';
import type { ServerLine } from '../server/line.ts';
import type { Journal } from './journal/journal.ts';

/** The generation to which everything was given back. */
const FACT = 'storeGeneration';

/** How long a job waits for the receipts before it, in milliseconds. */
const WAIT_MS = 10_000;

export interface ReceiptBookPorts {
  readonly journal: Pick<Journal, 'fact' | 'setFact' | 'receiptsFor' | 'receiptsSent'>;
  readonly server: () => ServerClient;
  readonly line: ServerLine;
  readonly clock: Clock;
  readonly log: Log;
}

export class ReceiptBook {
  readonly #ports: ReceiptBookPorts;
  readonly #stop = new AbortController();
  #known: number | undefined;
  #giving: { readonly generation: number; readonly done: Promise<void> } | undefined;
  /** The newest generation whose server refused the receipts for good; it is asked again by the next start. */
  #refused = 0;

  constructor(ports: ReceiptBookPorts) {
    this.#ports = ports;
    this.#known = ports.journal.fact(FACT);
  }

  /** An answer of the server's named this generation of its store. */
  heard(generation: number): void {
    if (this.#stop.signal.aborted) return;
    if (this.#known === undefined) {
      this.#keep(generation);
      return;
    }
    const dealtWith = Math.max(this.#known, this.#refused, this.#giving?.generation ?? 0);
    if (generation <= dealtWith) return;
    const before = this.#giving?.done ?? Promise.resolve();
    this.#giving = { generation, done: before.then(() => this.#give(generation)) };
  }

  /** Resolves when the server has what it lacks, or after a while: a counter cannot wait for ever. Never rejects. */
  async settled(): Promise<void> {
    const { clock } = this.#ports;
    if (this.#giving === undefined) return;
    const waited = new AbortController();
    await Promise.race([this.#giving.done, clock.sleep(WAIT_MS, waited.signal)]);
    waited.abort();
  }

  /** Ends the giving back; the next start goes on with it. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#giving?.done;
  }

  async #give(generation: number): Promise<void> {
    const { journal, server, line, log } = this.#ports;
    let count = 0;
    try {
      for (;;) {
        const kept = journal.receiptsFor(generation, LIMITS.receipts);
        if (kept.length === 0) break;
        const receipts = kept.map(({ receipt }) => receipt);
        await line.ask((signal) => server().postReceipts({ apiLevel: API_LEVEL, receipts }, signal), {
          signal: this.#stop.signal,
          retry: (error) => !(error instanceof RefusedError) || !FINAL.has(error.code),
        });
        journal.receiptsSent(
          kept.map(({ requestId }) => requestId),
          generation,
        );
        count += kept.length;
      }
      this.#keep(generation);
      log('info', 'receipts given back', { count });
    } catch (error) {
      // Every answer of the server names the generation: what has merely failed (a full disk, asked to end) is tried again with the next one.
      // A refusal would only come again with each of them, and is left to the next start.
      if (error instanceof RefusedError) this.#refused = Math.max(this.#refused, generation);
      log('warn', 'receipts not given back', { count });
    }
    // A newer generation may be waiting for its turn by now, and a job must wait for that one.
    if (this.#giving?.generation === generation) this.#giving = undefined;
  }

  #keep(generation: number): void {
    this.#known = generation;
    try {
      this.#ports.journal.setFact(FACT, generation);
    } catch {
      // A full disk: they are given back once more, which changes nothing.
      this.#ports.log('warn', 'generation not kept', { code: 'station-disk-full' });
    }
  }
}

/** Refusals that stay: asking again would go on for ever. */
const FINAL: ReadonlySet<string> = new Set([
  'bad-request',
  'not-found',
  'api-level-unsupported',
  'request-too-large',
]);
