/** One card without a screen: waits for it, signs in, starts the job, tells each step, waits for the end. */
import { type ErrorCode, type ErrorDetails, KaikaError } from '../../protocol/errors.ts';
import type { Label, Wish } from '../../protocol/wire.ts';
import type { Engine } from '../engine.ts';
import type { Clock } from '../ports.ts';
import type { CardLook } from '../readers/look.ts';
import type { JobView, ReaderView, Snapshot } from '../views.ts';
import { type HeadlessResult, refusal, resultOf } from './result.ts';
import { waitFor } from './wait.ts';

/** What happened, for whoever tells it to a person. */
export type Told =
  | { readonly kind: 'card'; readonly look: CardLook }
  | { readonly kind: 'continues'; readonly job: JobView }
  | { readonly kind: 'signed-in'; readonly name: string }
  | { readonly kind: 'plan'; readonly job: JobView }
  | { readonly kind: 'step'; readonly label: Label }
  | { readonly kind: 'waits'; readonly code: ErrorCode }
  | { readonly kind: 'error'; readonly code: ErrorCode; readonly details: ErrorDetails };

interface HeadlessRequest {
  readonly wishes: readonly Wish[];
  readonly operator: string;
  readonly secret: string;
  /** The account to issue for, once the card is known. */
  readonly account: (look: CardLook) => Promise<string>;
  /** A second person, who confirms that purses are deleted. */
  readonly confirmer?: { readonly operator: string; readonly secret: string };
}

interface HeadlessPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly tell: (told: Told) => void;
  /** Milliseconds to wait for a card to be read, and for a job that has come to a halt. */
  readonly cardLimitMs: number;
  readonly haltLimitMs: number;
}

const SERVICE_LIMIT_MS = 4_000;

/** Never throws for what a person can meet: that is told, and is in the result. */
export async function runHeadless(ports: HeadlessPorts, request: HeadlessRequest): Promise<HeadlessResult> {
  const { engine, clock, tell } = ports;
  let card: string | null = null;
  let started = clock.monotonic();
  try {
    const ready = await findCard(ports);
    if (ready.kind === 'job') {
      tell({ kind: 'continues', job: ready.job });
      await signInAgain(ports, request);
      return await follow(ports, ready.job.id, started, true);
    }
    card = ready.look.identification;
    tell({ kind: 'card', look: ready.look });
    const operator = await engine.signIn(request.operator, request.secret);
    tell({ kind: 'signed-in', name: operator.name });
    const account = await request.account(ready.look);
    const wishes = await confirmed(engine, request, ready.reader);
    started = clock.monotonic();
    const job = await engine.startJob(ready.reader, { account, wishes });
    return await follow(ports, job, started, false);
  } catch (error) {
    if (!(error instanceof KaikaError)) throw error;
    tell({ kind: 'error', code: error.code, details: error.details });
    return refusal(error.code, card, clock.monotonic() - started);
  }
}

/** A job that had no reply yet asks for its operator; one that had goes on without. So a failure here is only told. */
async function signInAgain({ engine, tell }: HeadlessPorts, request: HeadlessRequest): Promise<void> {
  try {
    await engine.signIn(request.operator, request.secret);
  } catch (error) {
    if (!(error instanceof KaikaError)) throw error;
    tell({ kind: 'error', code: error.code, details: error.details });
  }
}

type Ready =
  | { readonly kind: 'card'; readonly reader: string; readonly look: CardLook }
  | { readonly kind: 'job'; readonly job: JobView };

/** The first card that was read, or the job in hand that goes on by itself. @throws KaikaError why there is none */
async function findCard({ engine, clock, cardLimitMs }: HeadlessPorts): Promise<Ready> {
  // A card may take a person's time to come; the service is there or it is not.
  const service = await waitFor(engine, clock, Math.min(cardLimitMs, SERVICE_LIMIT_MS), (snapshot) =>
    snapshot.service.kind === 'running' ? true : undefined,
  );
  if (service === undefined) throw whyNoCard(engine.snapshot());
  const ready = await waitFor(engine, clock, cardLimitMs, (snapshot) => {
    for (const reader of snapshot.readers) {
      const found = readyIn(reader, snapshot);
      if (found !== undefined) return found;
    }
    return undefined;
  });
  if (ready === undefined) throw whyNoCard(engine.snapshot());
  if (ready.kind === 'card' && ready.look.code !== undefined) throw new KaikaError(ready.look.code);
  return ready;
}

function readyIn(reader: ReaderView, snapshot: Snapshot): Ready | undefined {
  if (reader.state.kind === 'card') return { kind: 'card', reader: reader.name, look: reader.state.look };
  if (reader.state.kind !== 'job') return undefined;
  const id = reader.state.job;
  const job = snapshot.jobs.find((one) => one.id === id);
  return job === undefined ? undefined : { kind: 'job', job };
}

function whyNoCard(snapshot: Snapshot): KaikaError {
  if (snapshot.service.kind === 'missing') return new KaikaError(snapshot.service.code);
  if (snapshot.service.kind === 'starting') return new KaikaError('pcsc-not-running');
  if (snapshot.readers.length === 0) return new KaikaError('no-reader');
  for (const reader of snapshot.readers) {
    if (reader.state.kind === 'problem') return new KaikaError(reader.state.code);
  }
  return new KaikaError('no-card');
}

async function confirmed(engine: Engine, request: HeadlessRequest, reader: string): Promise<Wish[]> {
  const { confirmer } = request;
  if (confirmer === undefined) return [...request.wishes];
  const wishes: Wish[] = [];
  for (const wish of request.wishes) {
    if (wish.action !== 'delete') wishes.push(wish);
    else wishes.push({ ...wish, confirmedBy: await engine.confirm(confirmer, { reader, app: wish.app }) });
  }
  return wishes;
}

/** Tells the job's steps until it has ended, or has stood still for too long. */
async function follow(
  ports: HeadlessPorts,
  id: string,
  started: number,
  resumed: boolean,
): Promise<HeadlessResult> {
  const { engine, clock, haltLimitMs } = ports;
  const teller = new Teller(ports.tell);
  for (;;) {
    const turn = await waitFor(engine, clock, haltLimitMs, (snapshot) => {
      const job = snapshot.jobs.find((one) => one.id === id);
      if (job === undefined) return undefined;
      const news = teller.tell(job);
      return isOver(job) || news ? job : undefined;
    });
    const milliseconds = clock.monotonic() - started;
    if (turn === undefined) return halted(ports, id, milliseconds);
    switch (turn.state.kind) {
      case 'done':
        if (turn.state.outcome.error !== undefined) {
          ports.tell({
            kind: 'error',
            code: turn.state.outcome.error,
            details: turn.state.outcome.details ?? {},
          });
        }
        return resultOf(turn.state.outcome, milliseconds);
      case 'failed':
        ports.tell({ kind: 'error', code: turn.state.code, details: turn.state.details });
        return notDone(turn, turn.state.code, milliseconds, resumed);
      case 'abandoned':
        return notDone(turn, undefined, milliseconds, resumed);
      case 'working':
      case 'waiting-for-card':
      case 'waiting-for-server':
      case 'waiting-for-disk':
        break;
    }
  }
}

/** A job that broke off: once commands ran, or may have run in an earlier life of the program, the card is not as it was. */
function notDone(
  job: JobView,
  error: ErrorCode | undefined,
  milliseconds: number,
  resumed: boolean,
): HeadlessResult {
  const result = refusal(error, job.card, milliseconds);
  return resumed || job.progress.current !== null ? { ...result, outcome: 'partial' } : result;
}

function isOver(job: JobView): boolean {
  return job.state.kind === 'done' || job.state.kind === 'failed' || job.state.kind === 'abandoned';
}

/** Nothing moved for too long: the job stays in hand, and the next run with this card goes on with it. */
function halted({ engine, tell }: HeadlessPorts, id: string, milliseconds: number): HeadlessResult {
  const job = engine.snapshot().jobs.find((one) => one.id === id);
  const code = job === undefined ? undefined : (waitingCode(job) ?? slowCode(job));
  if (code !== undefined) tell({ kind: 'error', code, details: {} });
  const result = refusal(code, job?.card ?? null, milliseconds);
  return { ...result, outcome: 'partial' };
}

function waitingCode(job: JobView): ErrorCode | undefined {
  const { state } = job;
  if (state.kind === 'waiting-for-card' || state.kind === 'waiting-for-server') return state.code;
  return state.kind === 'waiting-for-disk' ? 'station-disk-full' : undefined;
}

/** Nobody has failed and nobody has answered: some cards take minutes for one command. */
function slowCode({ state }: JobView): ErrorCode | undefined {
  if (state.kind !== 'working') return undefined;
  return state.atCard === true ? 'card-slow' : 'server-slow';
}

/** Tells what is new about a job, each thing once. */
class Teller {
  readonly #tell: (told: Told) => void;
  #planTold = false;
  #last = '';

  constructor(tell: (told: Told) => void) {
    this.#tell = tell;
  }

  /** Whether there was anything new. */
  tell(job: JobView): boolean {
    const before = this.#last;
    if (!this.#planTold && job.progress.plan !== null) {
      this.#planTold = true;
      this.#tell({ kind: 'plan', job });
    }
    const waiting = waitingCode(job);
    if (waiting !== undefined) this.#once(`waits ${waiting}`, { kind: 'waits', code: waiting });
    else if (job.progress.current !== null) {
      const label = job.progress.current;
      this.#once(`step ${label.step} ${label.app ?? ''}`, { kind: 'step', label });
    }
    return this.#last !== before;
  }

  #once(key: string, told: Told): void {
    if (this.#last === key) return;
    this.#last = key;
    this.#tell(told);
  }
}
