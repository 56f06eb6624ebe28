/**
 * One reader: connects to what is put in, looks at it, and lends it to the job that wants it. Everything that touches the
 * card goes through one loop, so that nothing comes between a job's commands.
 */
import { type CardConnection, CardError, type ReaderPort, type ReaderState } from '../../card/reader-port.ts';
import type { Catalogue } from '../../catalogue/schema.ts';
import { type ErrorCode, KaikaError } from '../../protocol/errors.ts';
import type { JobBook } from '../jobs/job-book.ts';
import type { Job } from '../jobs/runner.ts';
import type { Clock, Log } from '../ports.ts';
import type { ReaderView, ReaderViewState } from '../views.ts';
import { CardLink } from './card-link.ts';
import { type CardLook, codeOfCardFault, lookAtCard } from './look.ts';
import { prepareRequest, type StartRequest } from './start-request.ts';

export interface ActorPorts {
  readonly readers: ReaderPort;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly jobs: JobBook;
  readonly onChange: (actor: ReaderActor) => void;
}

interface StartCommand extends StartRequest {
  /** The card staff saw when they clicked. */
  readonly identification: string;
  readonly resolve: (job: string) => void;
  readonly reject: (error: KaikaError) => void;
}

/** Breakdowns of a card that stays in the reader, in a row, before only taking it out helps. */
const MAX_BREAKDOWNS = 3;
/** A card another program holds is tried again this often, in milliseconds. */
const HELD_WAIT_MS = 1_000;
/** Milliseconds that closing a connection may take. */
const DISCONNECT_WAIT_MS = 2_000;

export class ReaderActor {
  readonly name: string;
  readonly #ports: ActorPorts;
  #reader: ReaderState;
  #closed = false;
  #shown: ReaderViewState = { kind: 'empty' };
  #look: CardLook | null = null;
  #link: { readonly link: CardLink; readonly events: number } | undefined;
  #start: StartCommand | undefined;
  #relook = false;
  #breakdowns = 0;
  /** The reader's event count when the end of a job was put on show without a card. */
  #endShownAt = -1;
  /** The reader's event count when the card that was last visited was put in. */
  #stay = -1;
  #reset: boolean;
  #wake: () => void = () => undefined;

  constructor(ports: ActorPorts, reader: ReaderState) {
    this.name = reader.name;
    this.#ports = ports;
    this.#reader = reader;
    // A card may still be open from the life before a crash.
    this.#reset = ports.jobs.anyInHand();
  }

  view(): ReaderView {
    const waiting = this.#ports.jobs.waitingIn(this.name);
    const state = this.#shown;
    if (state.kind === 'empty' && waiting !== undefined) {
      return { name: this.name, state: { kind: 'empty', waiting: waiting.id } };
    }
    if (state.kind === 'card') {
      const inHand =
        state.look.identification === null
          ? undefined
          : this.#ports.jobs.inHandFor(state.look.identification);
      const other = waiting !== undefined && waiting !== inHand ? { otherCard: waiting.id } : {};
      const mine = inHand === undefined ? {} : { jobInHand: inHand.id };
      return { name: this.name, state: { kind: 'card', look: state.look, ...mine, ...other } };
    }
    return { name: this.name, state };
  }

  /** The card that is shown, by its identification code; null where none is, or one that is not known. */
  get shownCard(): string | null {
    return this.#look?.identification ?? null;
  }

  /** The job whose end this reader still shows. */
  get shownJob(): string | undefined {
    return this.#shown.kind === 'job' ? this.#shown.job : undefined;
  }

  /** Says again what it shows, because a job beside it changed. */
  refresh(): void {
    if (this.#shown.kind !== 'job') this.#ports.onChange(this);
  }

  /** A job came to its end while its card was out: that stays on show until a card comes or staff ask for one. */
  showEnd(id: string): void {
    const how = this.#ports.jobs.get(id)?.view().state.kind;
    if (this.#shown.kind !== 'empty' || (how !== 'done' && how !== 'failed')) return;
    this.#endShownAt = this.#reader.events;
    this.#show({ kind: 'job', job: id, look: null });
  }

  /** What the reader port says now. */
  update(reader: ReaderState): void {
    const moved = reader.events !== this.#reader.events || reader.card !== 'present';
    this.#reader = reader;
    if (moved) {
      this.#breakdowns = 0;
      if (this.#link !== undefined && reader.events !== this.#link.events)
        this.#link.link.lose('card-removed');
    }
    this.#wake();
  }

  /** The reader or the whole service went. */
  gone(fault: 'reader-lost' | 'service-missing'): void {
    this.#closed = true;
    this.#link?.link.lose(fault);
    this.#refuse(new KaikaError(codeOfCardFault(fault)));
    this.#wake();
  }

  /** No more clicks and no more jobs; the card stays with the job that has it. */
  stop(): void {
    this.#closed = true;
    this.#refuse(new KaikaError('reader-lost', 'the engine closes'));
    this.#wake();
  }

  /** Something may have become possible: a job waits, or was given up. */
  nudge(): void {
    this.#wake();
  }

  /** Reads the card again. The end of a job that was on show has been seen then. */
  relook(): void {
    const ended = this.shownJob !== undefined && this.#ports.jobs.get(this.shownJob)?.inHand !== true;
    if (ended) this.#show({ kind: 'looking' });
    this.#endShownAt = -1;
    this.#relook = true;
    this.#wake();
  }

  /**
   * Begins a job on the card that is shown. Resolves with its id once it is in the journal.
   * @throws KaikaError no-card, job-in-hand, unknown-card, other-card, station-disk-full, or a fault of the card.
   */
  startJob(request: StartRequest): Promise<string> {
    if (this.#closed) return Promise.reject(new KaikaError('no-reader'));
    const look = this.#shown.kind === 'card' || this.#shown.kind === 'job' ? this.#look : null;
    if (look === null) {
      const working = this.#shown.kind === 'job' || this.#start !== undefined;
      return Promise.reject(new KaikaError(working ? 'job-in-hand' : 'no-card'));
    }
    const { identification } = look;
    if (identification === null) return Promise.reject(new KaikaError(look.code ?? 'unknown-card'));
    if (this.#start !== undefined || this.#ports.jobs.inHandFor(identification) !== undefined) {
      return Promise.reject(new KaikaError('job-in-hand'));
    }
    return new Promise((resolve, reject) => {
      this.#start = { ...request, identification, resolve, reject };
      this.#wake();
    });
  }

  /** Runs until `gone`. Never rejects. */
  async run(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#visit();
      } catch (error) {
        this.#problem(error instanceof CardError ? codeOfCardFault(error.fault) : 'internal', error);
        await this.#woken(this.#reader.events, HELD_WAIT_MS);
      }
    }
  }

  /** One stay of one card, or the time without one. */
  async #visit(): Promise<void> {
    const { events, card } = this.#reader;
    if (card !== 'present') {
      this.#look = null;
      this.#refuse(new KaikaError('no-card'));
      if (card === 'absent' && this.#shown.kind === 'job' && this.#endShownAt === events)
        return this.#woken(events);
      this.#show(card === 'mute' ? { kind: 'problem', code: 'card-mute' } : { kind: 'empty' });
      return this.#woken(events);
    }
    this.#relook = false;
    // After a job its end stays on show while the card is read again.
    if (this.#shown.kind !== 'job' || events !== this.#stay) this.#show({ kind: 'looking' });
    this.#stay = events;
    let connection: CardConnection;
    try {
      connection = await this.#ports.readers.connect(this.name);
    } catch (error) {
      return this.#broken(error, events);
    }
    const link = new CardLink(connection);
    this.#link = { link, events };
    if (this.#reader.events !== events) link.lose('card-removed');
    try {
      await this.#readCard(connection, link);
      await this.#serve(connection, link);
      if (link.loss?.event === 'reset') await this.#broken(new CardError(link.loss.fault), events);
    } catch (error) {
      await this.#broken(error, events);
    } finally {
      this.#link = undefined;
      this.#look = null;
      // A driver may hang on a card that hangs; the next visit must not.
      const waited = new AbortController();
      const limit = this.#ports.clock.sleep(DISCONNECT_WAIT_MS, waited.signal);
      await Promise.race([connection.disconnect('reset'), limit]);
      waited.abort();
    }
  }

  async #readCard(connection: CardConnection, link: CardLink): Promise<void> {
    if (this.#reset) {
      await connection.reset();
      this.#reset = false;
    }
    await connection.beginTransaction();
    try {
      this.#look = await lookAtCard(
        { transmit: (command) => link.transmit(command), atr: connection.atr },
        this.#ports.catalogue,
        this.#ports.clock.monotonic,
        (seen) => this.#showEarly(seen),
      );
    } finally {
      await endQuietly(connection);
    }
    const { durationMs, code } = this.#look;
    this.#ports.log('info', 'look', {
      reader: this.name,
      durationMs,
      ...(code === undefined ? {} : { code }),
    });
  }

  /** The card is known: wait for a job of its own, a click, or its going. */
  async #serve(connection: CardConnection, link: CardLink): Promise<void> {
    const look = this.#look;
    if (look === null) return;
    const { jobs } = this.#ports;
    while (link.loss === undefined && !this.#closed && !this.#relook) {
      const job = look.identification === null ? undefined : jobs.claim(look.identification);
      if (job !== undefined && this.#breakdowns <= MAX_BREAKDOWNS) return this.#lend(connection, link, job);
      if (this.#start !== undefined) {
        const begun = await this.#begin(connection, link, look, this.#start);
        if (begun !== undefined) return this.#lend(connection, link, begun, true);
        continue;
      }
      this.#showCard(look);
      await Promise.race([this.#woken(this.#reader.events), link.lost]);
    }
  }

  /** Before the look is whole. A card with a job in hand goes to that at once; it is not shown as one to be served. */
  #showEarly(look: CardLook): void {
    const { identification } = look;
    if (identification !== null && this.#ports.jobs.inHandFor(identification) !== undefined) return;
    this.#showCard(look);
  }

  /** The end of a job stays beside the card. */
  #showCard(look: CardLook): void {
    this.#look = look;
    this.#show(this.#shown.kind === 'job' ? { ...this.#shown, look } : { kind: 'card', look });
  }

  /** Takes the opening and writes the job down. Undefined when it was refused; the caller of `startJob` knows why. */
  async #begin(
    connection: CardConnection,
    link: CardLink,
    look: CardLook,
    command: StartCommand,
  ): Promise<Job | undefined> {
    try {
      if (look.identification !== command.identification) throw new KaikaError('other-card');
      this.#ports.jobs.checkRoom();
      await connection.beginTransaction();
      const request = await prepareRequest(link, this.#ports.catalogue, look, command);
      if (link.loss !== undefined) throw new CardError(link.loss.fault);
      const job = this.#ports.jobs.begin(request, command.identification);
      this.#start = undefined;
      command.resolve(job.id);
      return job;
    } catch (error) {
      await endQuietly(connection);
      if (error instanceof CardError) link.lose(error.fault);
      this.#refuse(
        error instanceof KaikaError
          ? error
          : new KaikaError(error instanceof CardError ? codeOfCardFault(error.fault) : 'internal'),
      );
      return undefined;
    }
  }

  /** The job has the card, inside one transaction, until it needs it no more. The card is reset afterwards. */
  async #lend(connection: CardConnection, link: CardLink, job: Job, inTransaction = false): Promise<void> {
    if (!inTransaction) {
      await connection.beginTransaction();
      if (!job.wantsCard) return endQuietly(connection);
    }
    const released = job.attach(link);
    this.#look = null;
    this.#show({ kind: 'job', job: job.id, look: null });
    await released;
    if (link.loss === undefined) {
      await endQuietly(connection);
      this.#relook = true;
    }
    if (job.inHand) this.#show({ kind: 'looking' });
  }

  /** A fault: while the card stays, one retry after a reset for the look and a few for a job; then it has to be taken out. */
  async #broken(error: unknown, events: number): Promise<void> {
    if (this.#closed) return;
    const fault = error instanceof CardError ? error.fault : undefined;
    if (fault === 'card-removed' || fault === 'card-absent') {
      // The port's state follows within moments; without a pause a reader that lags would be asked without end.
      if (this.#reader.events === events) await this.#woken(events, 100);
      return;
    }
    this.#breakdowns += 1;
    this.#reset = fault === 'communication' || fault === 'card-reset';
    const limit = this.#ports.jobs.anyInHand() ? MAX_BREAKDOWNS : 1;
    if (this.#reset && this.#breakdowns <= limit) return;
    this.#problem(fault === undefined ? 'internal' : codeOfCardFault(fault), error);
    this.#refuse(new KaikaError(fault === undefined ? 'internal' : codeOfCardFault(fault)));
    return fault === 'card-held' ? this.#woken(events, HELD_WAIT_MS) : this.#woken(events);
  }

  #problem(code: ErrorCode, error: unknown): void {
    const detail = error instanceof CardError ? error.detail : error instanceof Error ? error.name : '';
    this.#ports.log('warn', 'reader problem', { reader: this.name, code, detail });
    this.#look = null;
    this.#show({ kind: 'problem', code });
  }

  #refuse(error: KaikaError): void {
    this.#start?.reject(error);
    this.#start = undefined;
  }

  /** Resolves on the next `update`, `nudge`, `relook`, start or `gone`, at once if a card came or went meanwhile. */
  #woken(events: number, limitMs?: number): Promise<void> {
    if (this.#closed || this.#reader.events !== events) return Promise.resolve();
    const stop = new AbortController();
    return new Promise((resolve) => {
      this.#wake = () => {
        stop.abort();
        resolve();
      };
      if (limitMs !== undefined) void this.#ports.clock.sleep(limitMs, stop.signal).then(resolve);
    });
  }

  #show(state: ReaderViewState): void {
    this.#shown = state;
    this.#ports.onChange(this);
  }
}

async function endQuietly(connection: CardConnection): Promise<void> {
  try {
    await connection.endTransaction();
  } catch {
    // The card is gone, and the transaction with it.
  }
}
