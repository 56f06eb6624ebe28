/**
 * One job from the click to its end: the loop between card and server (design §3, §5). It outlives screens, readers and
 * the program: every step is in the journal before the next, and `resume` takes it up from there.
 */
import { type ErrorCode, type ErrorDetails, KaikaError } from '../../protocol/errors.ts';
import {
  type AnswersRequest,
  API_LEVEL,
  type Batch,
  type JobReply,
  type JobRequest,
  type Outcome,
  type StepReply,
} from '../../protocol/wire.ts';
import type { CardLink } from '../readers/card-link.ts';
import { codeOfCardFault } from '../readers/look.ts';
import { UnreachedError } from '../server/client.ts';
import type { JobState, JobView, ProgressView } from '../views.ts';
import { CardHold } from './card-hold.ts';
import { holdsEffect, holdsKeyWrite, type JobPorts, retriesAnswers, retriesRequest } from './job-ports.ts';
import type { TakenJob } from './journal.ts';
import type { JournalJob } from './journal-rows.ts';
import { atCommand, concluded, NO_PROGRESS, planned } from './progress.ts';
import { type BatchResult, runBatch } from './run-batch.ts';

/** Batches in a row for an epoch that is over, before the server counts as broken. */
const MAX_MISSED = 8;
const DISK_WAIT_MS = 2_000;

export class Job {
  readonly id: string;
  readonly identification: string;
  readonly #ports: JobPorts;
  readonly #created: number;
  readonly #request: JobRequest | null;
  readonly #resumed: boolean;
  readonly #stop = new AbortController();

  #phase: JournalJob['phase'];
  readonly #hold: CardHold;
  #serverJob: string | null;
  #seq: number | null;
  #batch: Batch | null;
  #answers: AnswersRequest | null;
  #abandoned: boolean;
  #missed = 0;
  /** What is to be reported of a batch that an earlier run of the program had started. */
  #unknown: Pick<BatchResult, 'answers' | 'stoppedAt' | 'reached'> | undefined;
  /** The first request, or a copy of it, may have got to the server. */
  #mayHaveArrived: boolean;
  /** A key write was dropped from the journal and is to be overwritten on the disk too. */
  #scrubDue = false;
  #lossCode: ErrorCode = 'card-removed';

  #reader: string;
  #state: JobState = { kind: 'working', writing: false };
  #progress: ProgressView = NO_PROGRESS;
  #wake: () => void = () => undefined;

  private constructor(ports: JobPorts, row: JournalJob, resumed: boolean) {
    this.#ports = ports;
    this.id = row.requestId;
    this.identification = row.identification;
    this.#created = row.created;
    this.#request = row.request;
    this.#resumed = resumed;
    this.#mayHaveArrived = resumed;
    this.#phase = row.phase;
    this.#hold = new CardHold(row.epoch, row.bound);
    this.#serverJob = row.job;
    this.#seq = row.seq;
    this.#batch = row.batch;
    this.#answers = row.answers;
    this.#abandoned = row.abandoned;
    this.#reader = row.reader;
    if (row.plan !== null) this.#progress = planned(row.plan);
  }

  /** A new job, in the journal when this returns; its card is to be attached at once. @throws KaikaError station-disk-full */
  static begin(ports: JobPorts, request: JobRequest, identification: string): Job {
    ports.journal.begin(request, identification, ports.clock.now());
    const row = ports.journal.find(request.requestId);
    if (row === undefined) throw new KaikaError('internal', 'a job that is not in the journal');
    return new Job(ports, row, false);
  }

  /**
   * A job that an earlier run of the program left. Whatever epoch was bound is over. A batch that was started is never run
   * again: its last noted effect is reported as one whose outcome is not known.
   */
  static resume(ports: JobPorts, row: JournalJob): Job {
    const job = new Job(ports, row, true);
    job.#hold.forget();
    if (row.phase === 'started') {
      job.#unknown = { answers: [], stoppedAt: row.effect ?? 0, reached: row.effect !== null };
      job.#scrubDue = true;
    }
    // Once it was begun the card may be half written, and that is what staff have to know.
    const code = row.phase === 'requested' ? 'no-card' : 'card-removed';
    job.#state = row.abandoned ? { kind: 'abandoned' } : { kind: 'waiting-for-card', code };
    return job;
  }

  /** Whether staff still have to do with it. */
  get inHand(): boolean {
    return this.#state.kind !== 'done' && this.#state.kind !== 'failed' && this.#state.kind !== 'abandoned';
  }

  /** Whether nothing is left to do, for the server neither. */
  get finished(): boolean {
    return this.#phase === 'ended';
  }

  /** Whether it may have the card now: it is in hand and has none. */
  get wantsCard(): boolean {
    return this.inHand && this.#hold.link === undefined;
  }

  get reader(): string {
    return this.#reader;
  }

  view(): JobView {
    return {
      id: this.id,
      reader: this.#reader,
      card: this.identification,
      created: new Date(this.#created).toISOString(),
      wishes: (this.#request?.wishes ?? []).map(({ app, action }) => ({ app, action })),
      progress: this.#progress,
      state: this.#state,
    };
  }

  /** Gives the job its card. The promise resolves when the job needs it no more, or it is lost. */
  attach(link: CardLink): Promise<void> {
    const released = this.#hold.attach(link);
    this.#reader = link.reader;
    void link.lost.then(() => this.#onLost(link));
    if (this.#state.kind === 'waiting-for-card') this.#show({ kind: 'working', writing: false });
    this.#wake();
    return released;
  }

  /**
   * Staff give the job up. What the server must still be told is told in the background.
   * @throws KaikaError job-in-hand while commands are running.
   */
  abandon(): void {
    if (!this.inHand) return;
    if (this.#phase === 'started') throw new KaikaError('job-in-hand', 'commands are running');
    this.#giveUp({ kind: 'abandoned' });
  }

  /** Stops after the batch that is running, if any; the journal has everything. `run` then resolves. */
  close(): void {
    this.#stop.abort();
    this.#wake();
  }

  /** Runs to the end, or until `close`. Never rejects. */
  async run(): Promise<void> {
    while (this.#phase !== 'ended' && !this.#stop.signal.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (this.#stop.signal.aborted) break;
        await this.#afterError(error);
      }
    }
    this.#hold.release();
  }

  async #step(): Promise<void> {
    switch (this.#phase) {
      case 'requested':
        return this.#afterReply(await this.#postRequest());
      case 'answered':
        return this.#afterReply(await this.#postAnswers());
      case 'replied':
        return this.#whenCardIsBack();
      case 'started':
        if (this.#unknown !== undefined) return this.#untilStored(this.#unknown);
        throw new KaikaError('internal', 'a batch that is started twice');
      case 'ended':
        throw new KaikaError('internal', 'a job that has ended');
    }
  }

  async #postRequest(): Promise<JobReply> {
    const request = this.#request;
    if (request === null) throw new KaikaError('internal', 'a request that is not in the journal');
    const { server, line, startLimitMs, token } = this.#ports;
    const send = async (signal: AbortSignal) => {
      try {
        const asked = this.#abandoned ? { ...request, givenUp: true as const } : request;
        return await server.postJob(asked, token(), signal);
      } catch (error) {
        if (!(error instanceof UnreachedError) || error.sent) this.#mayHaveArrived = true;
        throw error;
      }
    };
    return line.ask(send, {
      signal: this.#stop.signal,
      retry: (error) => {
        // Given up and never sent: then it need not be sent any more.
        if (this.#abandoned && !this.#mayHaveArrived) return false;
        return retriesRequest(error, !this.#abandoned);
      },
      onWait: (code) => this.#waitForServer(code),
      ...(this.#resumed || this.#abandoned ? {} : { limitMs: startLimitMs }),
    });
  }

  async #postAnswers(): Promise<StepReply> {
    const { server, line, journal, token } = this.#ports;
    const [job, seq, answers] = [this.#serverJob, this.#seq, this.#answers];
    if (job === null || seq === null || answers === null)
      throw new KaikaError('internal', 'no answers to post');
    const asked = line.ask((signal) => server.postAnswers(job, seq, answers, token(), signal), {
      signal: this.#stop.signal,
      retry: retriesAnswers,
      onWait: (code) => this.#waitForServer(code),
    });
    if (this.#scrubDue) {
      // While the request travels.
      this.#scrubDue = false;
      setImmediate(() => journal.scrub());
    }
    return asked;
  }

  async #afterReply(reply: JobReply | StepReply): Promise<void> {
    const taken: TakenJob | undefined = 'job' in reply ? { job: reply.job, plan: reply.plan } : undefined;
    if (taken !== undefined) {
      this.#serverJob = taken.job;
      this.#progress = planned(taken.plan);
    }
    if ('outcome' in reply && reply.outcome !== undefined) return this.#end(reply.outcome, reply.receipt);
    const batch = 'batch' in reply ? reply.batch : undefined;
    if (batch === undefined) throw new KaikaError('server-answer-invalid', 'neither batch nor outcome');
    if (batch.seq <= (this.#seq ?? 0)) throw new KaikaError('server-answer-invalid', 'a batch out of order');
    const runs =
      batch.cardEpoch === this.#hold.epoch &&
      this.#hold.bound &&
      this.#hold.link !== undefined &&
      !this.#abandoned;
    this.#ports.journal.storeBatch(this.id, batch, runs, taken, reply.receipt);
    this.#batch = batch;
    this.#seq = batch.seq;
    this.#answers = null;
    this.#phase = runs ? 'started' : 'replied';
    if (runs) return this.#execute(batch);
  }

  /** A batch is kept, its card is away or has just come back. */
  async #whenCardIsBack(): Promise<void> {
    const batch = this.#batch;
    if (batch === null) throw new KaikaError('internal', 'no batch to run');
    if (this.#abandoned) return this.#closeAbandoned(batch);
    if (batch.cardEpoch !== this.#hold.epoch || this.#hold.bound) return this.#notExecuted();
    const link = this.#hold.link;
    if (link === undefined) {
      if (this.#state.kind !== 'waiting-for-card') {
        this.#show({ kind: 'waiting-for-card', code: this.#lossCode });
      }
      return new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#ports.journal.start(this.id);
    this.#phase = 'started';
    this.#hold.bind();
    return this.#execute(batch);
  }

  async #execute(batch: Batch): Promise<void> {
    const link = this.#hold.link;
    const { journal, log } = this.#ports;
    this.#missed = 0;
    // The card may have gone since the batch was stored.
    const result: BatchResult =
      link === undefined
        ? { answers: [], stoppedAt: 0, reached: false }
        : await runBatch(batch, {
            card: link,
            noteEffect: (index) => journal.noteEffect(this.id, index),
            onCommand: (index, label, effect) => {
              this.#progress = atCommand(this.#progress, label, index, batch.commands.length);
              this.#show({ kind: 'working', writing: effect });
            },
            onAnswer: (index, label, statusWord) =>
              log('info', 'answer', {
                job: this.id,
                seq: batch.seq,
                count: index,
                step: label.step,
                ...(label.app === undefined ? {} : { app: label.app }),
                statusWord,
              }),
          });
    if (result.fault?.kind === 'card') {
      log('warn', 'card fault', { job: this.id, code: result.fault.card, detail: result.fault.detail });
      // Also where the answer itself was nonsense: the card is reset before anything else is sent to it.
      link?.lose(result.fault.card);
    }
    if (link?.loss !== undefined) this.#onLost(link);
    this.#show({ kind: 'working', writing: false });
    const { fault, ...answered } = result;
    await this.#untilStored(answered);
    if (this.#hold.link === undefined) this.#show({ kind: 'waiting-for-card', code: this.#lossCode });
    if (fault?.kind === 'disk') {
      this.#show({ kind: 'waiting-for-disk' });
      await this.#ports.clock.sleep(DISK_WAIT_MS, this.#stop.signal);
    }
  }

  /** The batch was for a card that is no longer there: it is not run, and the server is told so. */
  async #notExecuted(): Promise<void> {
    this.#missed += 1;
    if (this.#missed > MAX_MISSED)
      throw new KaikaError('server-answer-invalid', 'batches for no epoch of ours');
    await this.#untilStored({ answers: [], stoppedAt: 0, reached: false });
  }

  /** With a full disk the answers are kept in memory, unposted, until there is room: posting first could lose them. */
  async #untilStored(result: Pick<BatchResult, 'answers' | 'stoppedAt' | 'reached'>): Promise<void> {
    for (;;) {
      try {
        return this.#storeAnswers(result);
      } catch (error) {
        if (!(error instanceof KaikaError) || error.code !== 'station-disk-full') throw error;
        this.#show({ kind: 'waiting-for-disk' });
        await this.#ports.clock.sleep(DISK_WAIT_MS, this.#stop.signal);
        if (this.#stop.signal.aborted) throw error;
      }
    }
  }

  #storeAnswers(result: Pick<BatchResult, 'answers' | 'stoppedAt' | 'reached'>): void {
    const answers: AnswersRequest = {
      apiLevel: API_LEVEL,
      cardEpoch: this.#hold.epoch,
      answers: [...result.answers],
      ...(result.stoppedAt === undefined ? {} : { stoppedAt: result.stoppedAt }),
      ...(result.reached === undefined ? {} : { reached: result.reached }),
      ...(this.#hold.event === undefined ? {} : { cardEvent: this.#hold.event }),
    };
    const seq = this.#seq ?? 0;
    if (this.#batch !== null && holdsKeyWrite(this.#batch)) this.#scrubDue = true;
    this.#ports.journal.storeAnswers(this.id, seq, answers, this.#hold.bound);
    this.#answers = answers;
    this.#batch = null;
    this.#hold.told();
    this.#phase = 'answered';
  }

  /** An abandoned job tells the server of a batch with effects that it was not run; of any other there is nothing to tell. */
  async #closeAbandoned(batch: Batch): Promise<void> {
    if (holdsEffect(batch) && this.#missed < 2) return this.#notExecuted();
    this.#ports.journal.end(this.id, {}, this.#ports.clock.now());
    this.#phase = 'ended';
  }

  async #afterError(error: unknown): Promise<void> {
    const { log, clock } = this.#ports;
    const { code, details } =
      error instanceof KaikaError ? error : { code: 'internal' as const, details: {} as ErrorDetails };
    log('error', 'job error', {
      job: this.id,
      code,
      ...(error instanceof Error ? { detail: error.name } : {}),
    });
    try {
      if (code === 'station-disk-full') throw error;
      // A first request that nobody answered may yet have arrived: that is cleared up in the background.
      if (code === 'server-away' && this.#phase === 'requested' && this.#mayHaveArrived) {
        if (!this.#abandoned) this.#giveUp({ kind: 'failed', code, details });
      } else this.#fail(code, details);
    } catch {
      if (this.inHand) this.#show({ kind: 'waiting-for-disk' });
      await clock.sleep(DISK_WAIT_MS, this.#stop.signal);
    }
  }

  #fail(code: ErrorCode, details: ErrorDetails): void {
    this.#ports.journal.end(this.id, { error: code }, this.#ports.clock.now());
    this.#phase = 'ended';
    if (this.inHand) this.#show({ kind: 'failed', code, details });
  }

  #end(outcome: Outcome, receipt: string | undefined): void {
    const how = { outcome, ...(receipt === undefined ? {} : { receipt }) };
    this.#ports.journal.end(this.id, how, this.#ports.clock.now());
    this.#phase = 'ended';
    if (this.#abandoned) return;
    this.#progress = concluded(this.#progress, outcome);
    this.#show({ kind: 'done', outcome });
  }

  #giveUp(state: JobState): void {
    this.#ports.journal.abandon(this.id);
    this.#abandoned = true;
    this.#show(state);
    this.#hold.release();
    this.#wake();
  }

  #onLost(link: CardLink): void {
    if (this.#hold.link !== link) return;
    const loss = link.loss;
    this.#hold.release();
    if (!this.inHand) return;
    if (loss !== undefined) this.#lossCode = codeOfCardFault(loss.fault);
    if (this.#phase !== 'started') this.#show({ kind: 'waiting-for-card', code: this.#lossCode });
  }

  #waitForServer(code: ErrorCode): void {
    if (!this.inHand) return;
    const cardPresent = this.#hold.link !== undefined;
    const before = this.#state;
    if (before.kind === 'waiting-for-server' && before.code === code && before.cardPresent === cardPresent)
      return;
    const since =
      before.kind === 'waiting-for-server' ? before.since : new Date(this.#ports.clock.now()).toISOString();
    this.#show({ kind: 'waiting-for-server', code, since, cardPresent });
  }

  #show(state: JobState): void {
    this.#state = state;
    this.#ports.onChange(this.id);
  }
}
