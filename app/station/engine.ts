/** The engine of a station: puts readers, jobs, receipts and server together. One an installation; it owns its folder, not the readers. */
import type { ReaderState, ReadersState } from '../card/reader-port.ts';
import type { CardRecord } from '../protocol/card-record.ts';
import { KaikaError } from '../protocol/errors.ts';
import { API_LEVEL, accountSchema, wishSchema } from '../protocol/wire.ts';
import { Confirmations, deletionShown } from './confirmations.ts';
import type { Deletion, Engine, EngineOptions, Person } from './engine-port.ts';
import { JobBook } from './jobs/job-book.ts';
import { openJournal } from './jobs/journal/file.ts';
import type { Journal } from './jobs/journal/journal.ts';
import { ReceiptBook } from './jobs/receipt-book.ts';
import { Listeners } from './listeners.ts';
import { lockInstallation } from './lock.ts';
import { type Log, noLog } from './ports.ts';
import { CardReader } from './readers/reader.ts';
import type { StartRequest } from './readers/start-request.ts';
import type { ServerClient } from './server/client.ts';
import { ServerLine } from './server/line.ts';
import { signOfLife } from './server/sign-of-life.ts';
import { rememberTime } from './server/time-memory.ts';
import type { Notification, OperatorView, ServerView, ServiceView, Snapshot } from './views.ts';

export type { Engine, EngineOptions } from './engine-port.ts';

/** How long `close` waits for a running batch, in milliseconds, before it lets the card go. */
const CLOSE_WAIT_MS = 5_000;

/** @throws KaikaError station-already-running, and what `openJournal` throws. */
export function openEngine(options: EngineOptions): Engine {
  const lock = lockInstallation(options.folder);
  let journal: Journal;
  try {
    journal = openJournal(options.folder, options.journal);
  } catch (error) {
    lock.release();
    throw error;
  }
  const engine = new StationEngine(options, journal, () => lock.release());
  engine.open();
  return engine;
}

class StationEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #journal: Journal;
  readonly #unlock: () => void;
  readonly #log: Log;
  readonly #server: ServerClient;
  readonly #line: ServerLine;
  readonly #book: JobBook;
  readonly #receipts: ReceiptBook;
  readonly #actors = new Map<string, CardReader>();
  /** Jobs that wait for their card, as readers last told of them. */
  #waiting = '';
  readonly #listeners: Listeners;
  readonly #confirmations = new Confirmations();
  readonly #running = new Set<Promise<void>>();
  #operator: { readonly view: OperatorView; readonly token: string } | null = null;
  #service: ServiceView = { kind: 'starting' };
  #unsubscribe: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(options: EngineOptions, journal: Journal, unlock: () => void) {
    this.#options = options;
    this.#journal = journal;
    this.#unlock = unlock;
    this.#log = options.log ?? noLog;
    this.#listeners = new Listeners(this.#log);
    this.#line = new ServerLine(options.clock, (server) => this.#tell({ kind: 'server', server }));
    const memory = rememberTime(journal, this.#log);
    this.#receipts = new ReceiptBook({
      journal,
      server: () => this.#server,
      line: this.#line,
      clock: options.clock,
      log: this.#log,
    });
    this.#server = options.server({
      ...(memory.heard === undefined ? {} : { heard: memory.heard }),
      onTime: (heard) => {
        memory.onTime(heard);
        this.#line.heardTime(heard.ahead);
      },
      onStoreGeneration: (generation) => this.#receipts.heard(generation),
    });
    this.#book = new JobBook({
      jobs: {
        journal,
        server: this.#server,
        line: this.#line,
        catalogue: options.catalogue,
        lastTries: options.lastTries === true,
        clock: options.clock,
        log: this.#log,
        token: () => this.#operator?.token,
        onChange: (id) => this.#onJob(id),
        startLimitMs: options.startLimitMs ?? 30_000,
      },
      tell: (notification) => this.#tell(notification),
      track: (run) => this.#track(run),
    });
  }

  open(): void {
    for (const row of this.#journal.unfinished()) this.#book.resume(row);
    this.#onReaders(this.#options.readers.state);
    this.#unsubscribe = this.#options.readers.subscribe((state) => this.#onReaders(state));
  }

  snapshot(): Snapshot {
    return {
      service: this.#service,
      server: this.#line.view,
      operator: this.#operator?.view ?? null,
      readers: [...this.#actors.values()].map((actor) => actor.view()),
      jobs: this.#book.views(),
    };
  }

  subscribe(listener: (notification: Notification) => void): () => void {
    listener({ kind: 'snapshot', snapshot: this.snapshot() });
    return this.#listeners.add(listener);
  }

  async signIn(operator: string, secret: string, newSecret?: string): Promise<OperatorView> {
    const chosen = newSecret === undefined ? {} : { newSecret };
    const request = { apiLevel: API_LEVEL, operator, secret, ...chosen } as const;
    const reply = await this.#line.once(() => this.#server.signIn(request));
    // A restored server has no sessions, so nobody begins a job on it before it was given back what it lacks.
    await this.#receipts.settled();
    const view = { ...reply.operator, expires: reply.expires };
    this.#operator = { view, token: reply.token };
    this.#tell({ kind: 'operator', operator: view });
    this.#line.wake();
    return view;
  }

  signOut(): void {
    this.#operator = null;
    this.#confirmations.clear();
    this.#tell({ kind: 'operator', operator: null });
  }

  async confirm(person: Person, { reader, app }: Deletion): Promise<string> {
    const confirms = deletionShown(this.#actor(reader).view().state, app);
    const request = { apiLevel: API_LEVEL, ...person, confirms } as const;
    const reply = await this.#line.once(() => this.#server.signIn(request));
    return this.#confirmations.keep(reply.token);
  }

  async startJob(reader: string, request: StartRequest): Promise<string> {
    const actor = this.#actor(reader);
    if (this.#operator === null) throw new KaikaError('session-expired', 'nobody is signed in');
    if (!accountSchema.safeParse(request.account).success) throw new KaikaError('account-invalid');
    const wishes = request.wishes.map((wish) => this.#confirmations.spend(wish));
    if (wishes.length === 0) throw new KaikaError('nothing-to-do');
    if (!wishSchema.array().max(64).safeParse(wishes).success) throw new KaikaError('bad-request', 'wishes');
    const clicked = actor.shownCard;
    await this.#receipts.settled();
    // The account is for the card that staff saw, not for one that was put in meanwhile.
    if (actor.shownCard !== clicked) throw new KaikaError('other-card');
    return actor.startJob({ account: request.account, wishes });
  }

  abandon(id: string): void {
    const job = this.#book.get(id);
    if (job === undefined) throw new KaikaError('not-found', 'no such job');
    job.abandon();
    this.#nudge();
  }

  relook(reader: string): void {
    this.#actor(reader).relook();
  }

  async checkServer(): Promise<ServerView> {
    await signOfLife(this.#line, this.#server, () => this.#operator?.token);
    return this.#line.view;
  }

  card(identification: string): Promise<CardRecord> {
    return this.#line.once(() => this.#server.card(identification, this.#operator?.token));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#unsubscribe();
    for (const actor of this.#actors.values()) actor.stop();
    this.#book.close();
    const waited = new AbortController();
    await Promise.race([Promise.all(this.#running), this.#options.clock.sleep(CLOSE_WAIT_MS, waited.signal)]);
    for (const actor of this.#actors.values()) actor.gone('service-missing');
    await Promise.race([Promise.all(this.#running), this.#options.clock.sleep(CLOSE_WAIT_MS, waited.signal)]);
    waited.abort();
    await this.#receipts.close();
    this.#server.close();
    this.#journal.close();
    this.#unlock();
  }

  #actor(reader: string): CardReader {
    const actor = this.#actors.get(reader);
    if (actor === undefined) throw new KaikaError('no-reader');
    return actor;
  }

  #onReaders(state: ReadersState): void {
    const before = this.#service;
    if (state.service === 'missing') {
      this.#service = { kind: 'missing', fault: state.fault, code: `pcsc-${state.fault}` };
    } else this.#service = { kind: state.service };
    if (JSON.stringify(before) !== JSON.stringify(this.#service)) {
      this.#tell({ kind: 'service', service: this.#service });
    }
    const readers = state.service === 'running' ? state.readers : [];
    for (const [name, actor] of [...this.#actors]) {
      if (readers.some((reader) => reader.name === name)) continue;
      this.#actors.delete(name);
      actor.gone(state.service === 'running' ? 'reader-lost' : 'service-missing');
      this.#tell({ kind: 'reader-gone', name });
    }
    for (const reader of readers) {
      const known = this.#actors.get(reader.name);
      if (known !== undefined) known.update(reader);
      else this.#addReader(reader.name, reader);
    }
    this.#forgetEnded();
  }

  #addReader(name: string, reader: ReaderState): void {
    const { readers, catalogue, clock } = this.#options;
    const actor = new CardReader(
      {
        readers,
        catalogue,
        clock,
        log: this.#log,
        onChange: (changed) => {
          if (this.#actors.get(name) !== changed) return;
          this.#tell({ kind: 'reader', reader: changed.view() });
          this.#forgetEnded();
          this.#refreshWaiting();
        },
        work: this.#book,
      },
      reader,
    );
    this.#actors.set(name, actor);
    this.#tell({ kind: 'reader', reader: actor.view() });
    this.#track(actor.run());
  }

  #track(run: Promise<void>): void {
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  #onJob(id: string): void {
    const job = this.#book.get(id);
    if (job === undefined) return;
    this.#tell({ kind: 'job', job: job.view() });
    // First: an end that no reader shows is forgotten.
    if (!job.inHand) this.#actors.get(job.reader)?.showEnd(id);
    this.#refreshWaiting();
    if (job.wantsCard) this.#nudge();
    else if (!job.inHand) this.#forgetEnded();
  }

  /** What a reader says of a job that waits is no longer so when that has found its card in another one. */
  #refreshWaiting(): void {
    const waiting = this.#book.waiting().join();
    if (waiting === this.#waiting) return;
    this.#waiting = waiting;
    for (const actor of this.#actors.values()) actor.refresh();
  }

  /** Readers beside a job may have something to say about it, or be able to take it on. */
  #nudge(): void {
    for (const actor of this.#actors.values()) {
      actor.nudge();
      actor.refresh();
    }
  }

  /** A job that is over is shown as long as its reader shows it. */
  #forgetEnded(): void {
    const shown = [...this.#actors.values()].flatMap((actor) => actor.shownJob ?? []);
    this.#book.forget(new Set(shown));
  }

  #tell(notification: Notification): void {
    this.#listeners.tell(notification);
  }
}
