/**
 * Runs one reader: gives the machine its events, and does its effects on the card (all of them), the port and the source of work.
 */
import { CardError, type ReaderPort, type ReaderState } from '../../card/reader-port.ts';
import type { Catalogue } from '../../catalogue/schema.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { Clock, Log } from '../ports.ts';
import type { ReaderView } from '../views.ts';
import { CardLink } from './card-link.ts';
import type { CardLook } from './look.ts';
import {
  clickRefused,
  lookOf,
  type Order,
  type Reader,
  type ReaderEffect,
  type ReaderEvent,
  unvisited,
} from './machine/states.ts';
import { transition } from './machine/transition.ts';
import { asFailure, asRefusal, endQuietly, type Open, readCard } from './open-card.ts';
import { readerView } from './reader-view.ts';
import { prepareRequest, type StartRequest } from './start-request.ts';
import type { Work, WorkSource } from './work.ts';

interface ReaderPorts {
  readonly readers: ReaderPort;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Log;
  readonly work: WorkSource;
  readonly onChange: (reader: CardReader) => void;
}

/** Milliseconds that closing a connection may take: a driver may hang on a card that hangs, and the next visit must not. */
const DISCONNECT_WAIT_MS = 2_000;

interface Caller {
  readonly resolve: (job: string) => void;
  readonly reject: (error: KaikaError) => void;
}

export class CardReader {
  readonly name: string;
  readonly #ports: ReaderPorts;
  readonly #callers = new Map<number, Caller>();
  readonly #closed: Promise<void>;
  #tellClosed: () => void = () => undefined;
  #machine: Reader;
  #open: Open | undefined;
  #orders = 0;
  #endRest: () => void = () => undefined;

  constructor(ports: ReaderPorts, reader: ReaderState) {
    this.name = reader.name;
    this.#ports = ports;
    this.#machine = unvisited(reader, ports.work.anyInHand());
    this.#closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  view(): ReaderView {
    return readerView(this.name, this.#machine.shown, this.#ports.work);
  }

  /** The card that is shown, by its identification code; null where none is, or one that is not known. */
  get shownCard(): string | null {
    return lookOf(this.#machine)?.identification ?? null;
  }

  /** The job that this reader shows, running or over. */
  get shownJob(): string | undefined {
    return this.#machine.shown.kind === 'job' ? this.#machine.shown.job : undefined;
  }

  /** Says again what it shows, because a job beside it changed. */
  refresh(): void {
    if (this.#machine.shown.kind !== 'job') this.#ports.onChange(this);
  }

  /** A job came to its end while its card was out: that stays on show until a card comes or staff ask for one. */
  showEnd(id: string): void {
    const how = this.#ports.work.get(id)?.state;
    if (how === 'done' || how === 'failed') this.#dispatch({ kind: 'end-away', work: id });
  }

  /** What the reader port says now. */
  update({ card, events }: ReaderState): void {
    this.#dispatch({ kind: 'port', card, events });
  }

  /** The reader or the whole service went. */
  gone(fault: 'reader-lost' | 'service-missing'): void {
    this.#dispatch({ kind: 'close', fault });
  }

  /** No more clicks and no more jobs; the card stays with the job that has it. */
  stop(): void {
    this.#dispatch({ kind: 'close' });
  }

  /** Something may have become possible: a job waits, or was given up. */
  nudge(): void {
    this.#dispatch({ kind: 'nudge' });
  }

  /** Reads the card again. The end of a job that was on show has been seen then. */
  relook(): void {
    const shown = this.shownJob;
    const ended = shown !== undefined && this.#ports.work.get(shown)?.inHand !== true;
    this.#dispatch({ kind: 'relook', ended });
  }

  /**
   * Begins a job on the card that is shown. Resolves with its id once it is in the journal.
   * @throws KaikaError no-card, job-in-hand, unknown-card, other-card, station-disk-full, or a fault of the card.
   */
  startJob(request: StartRequest): Promise<string> {
    const inHandFor = (card: string) => this.#ports.work.inHandFor(card) !== undefined;
    const refused = clickRefused(this.#machine, inHandFor);
    const identification = this.shownCard;
    if (refused !== undefined || identification === null) {
      return Promise.reject(new KaikaError(refused ?? 'no-card'));
    }
    this.#orders += 1;
    const order: Order = { ...request, identification, id: this.#orders };
    return new Promise((resolve, reject) => {
      this.#callers.set(order.id, { resolve, reject });
      this.#dispatch({ kind: 'click', order });
    });
  }

  /** Runs until it is closed. Never rejects. */
  run(): Promise<void> {
    this.#dispatch({ kind: 'rested' });
    return this.#closed;
  }

  #dispatch(event: ReaderEvent): void {
    const before = this.#machine;
    const { reader, effects } = transition(before, event);
    this.#machine = reader;
    if (reader.shown !== before.shown) this.#ports.onChange(this);
    if (reader.place.kind !== 'resting') this.#endRest();
    for (const effect of effects) this.#do(effect);
    if (this.#machine.place.kind === 'closed') this.#tellClosed();
  }

  #do(effect: ReaderEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.#work(this.#connect());
        break;
      case 'lose':
        this.#open?.link.lose(effect.fault);
        this.#tellLoss();
        break;
      case 'seek': {
        const work =
          effect.identification === null ? undefined : this.#ports.work.claim(effect.identification);
        this.#dispatch({ kind: 'work', ...(work === undefined ? {} : { work: work.id }) });
        break;
      }
      case 'read':
        this.#withCard((open) => this.#read(open, effect.reset));
        break;
      case 'open':
        this.#withCard((open) => this.#begin(open, effect.look, effect.order));
        break;
      case 'claim':
        this.#withCard((open) => this.#claim(open, effect.work));
        break;
      case 'disconnect':
        this.#work(this.#disconnect());
        break;
      case 'rest':
        this.#rest(effect.forMs);
        break;
      case 'refuse':
        this.#answer(effect.order, ({ reject }) => reject(new KaikaError(effect.code)));
        break;
      case 'tell-problem': {
        const { code, detail } = effect;
        this.#ports.log('warn', 'reader problem', { reader: this.name, code, detail });
        break;
      }
    }
  }

  /** What comes of something that takes time is the next event. */
  #work(work: Promise<ReaderEvent>): void {
    void work
      .then((event) => this.#dispatch(event))
      .catch((error) => {
        this.#tellLoss();
        this.#dispatch(asFailure(error, this.#ports.work.anyInHand()));
      })
      .catch(() => this.#ports.log('error', 'reader failed', { reader: this.name }));
  }

  #withCard(work: (open: Open) => Promise<ReaderEvent>): void {
    const open = this.#open;
    if (open !== undefined) this.#work(work(open));
  }

  async #connect(): Promise<ReaderEvent> {
    const connection = await this.#ports.readers.connect(this.name);
    const link = new CardLink(connection);
    this.#open = { connection, link };
    void link.lost.then(() => this.#open?.link === link && this.#tellLoss());
    return { kind: 'connected' };
  }

  #tellLoss(): void {
    const loss = this.#open?.link.loss;
    if (loss === undefined) return;
    this.#dispatch({ kind: 'lost', loss: { ...loss, anyInHand: this.#ports.work.anyInHand() } });
  }

  async #read(open: Open, reset: boolean): Promise<ReaderEvent> {
    const seen = (look: CardLook) => this.#dispatch({ kind: 'seen', look, taken: this.#isTaken(look) });
    const look = await readCard(open, this.#ports, reset, seen);
    const { durationMs, code } = look;
    const told = code === undefined ? {} : { code };
    this.#ports.log('info', 'look', { reader: this.name, durationMs, ...told });
    return { kind: 'looked', look };
  }

  #isTaken({ identification }: CardLook): boolean {
    return identification !== null && this.#ports.work.inHandFor(identification) !== undefined;
  }

  /** Takes the opening and writes the job down; where that is refused, the caller of `startJob` knows why. */
  async #begin(open: Open, look: CardLook, order: Order): Promise<ReaderEvent> {
    const { connection, link } = open;
    const { work: source, catalogue } = this.#ports;
    let work: Work;
    try {
      if (look.identification !== order.identification) throw new KaikaError('other-card');
      source.checkRoom();
      await connection.beginTransaction();
      const request = await prepareRequest(link, catalogue, look, order);
      if (link.loss !== undefined) throw new CardError(link.loss.fault);
      work = source.begin(request, order.identification);
    } catch (error) {
      await endQuietly(connection);
      if (error instanceof CardError) link.lose(error.fault);
      this.#tellLoss();
      this.#answer(order, ({ reject }) => reject(asRefusal(error)));
      return { kind: 'not-begun' };
    }
    this.#answer(order, ({ resolve }) => resolve(work.id));
    return this.#lend(open, work, 'begun');
  }

  async #claim(open: Open, id: string): Promise<ReaderEvent> {
    await open.connection.beginTransaction();
    const work = this.#ports.work.get(id);
    if (work?.wantsCard === true) return this.#lend(open, work, 'lent');
    await endQuietly(open.connection);
    return { kind: 'unwanted' };
  }

  /** The job has the card, inside one transaction, until it needs it no more. The card is reset afterwards. */
  async #lend({ connection, link }: Open, work: Work, how: 'begun' | 'lent'): Promise<ReaderEvent> {
    const released = work.attach(link);
    this.#dispatch({ kind: how, work: work.id });
    await released;
    if (link.loss === undefined) await endQuietly(connection);
    this.#tellLoss();
    return { kind: 'released', inHand: work.inHand };
  }

  async #disconnect(): Promise<ReaderEvent> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) {
      const waited = new AbortController();
      const limit = this.#ports.clock.sleep(DISCONNECT_WAIT_MS, waited.signal);
      await Promise.race([open.connection.disconnect('reset'), limit]);
      waited.abort();
    }
    return { kind: 'left' };
  }

  #rest(forMs: number): void {
    const stop = new AbortController();
    this.#endRest = () => stop.abort();
    void this.#ports.clock.sleep(forMs, stop.signal).then(() => {
      if (!stop.signal.aborted) this.#dispatch({ kind: 'rested' });
    });
  }

  #answer(order: Order, how: (caller: Caller) => void): void {
    const caller = this.#callers.get(order.id);
    this.#callers.delete(order.id);
    if (caller !== undefined) how(caller);
  }
}
