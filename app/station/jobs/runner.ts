/**
 * Runs one job: gives the machine its events, writes what it wants written, and does its effects on journal, server and card. It outlives
 * screens, readers and the program: every step is in the journal before the next, and `resume` takes it up from there.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { Batch, JobRequest, Wish } from '../../protocol/wire.ts';
import type { CardLink } from '../readers/card-link.ts';
import { codeOfCardFault } from '../readers/machine/card-faults.ts';
import type { Work } from '../readers/work.ts';
import type { JobState, JobView } from '../views.ts';
import { type Asker, askForJob, askForReply } from './asking.ts';
import { JobGuard } from './job-guard.ts';
import type { JobPorts } from './job-ports.ts';
import type { UnfinishedJob } from './journal/rows.ts';
import type { Effect, JobEvent, Taken } from './machine/events.ts';
import { isInHand, mayBeGivenUp, type Phase, shownOf, wantsCard } from './machine/phases.ts';
import { resumed } from './machine/resume.ts';
import { begun, transition } from './machine/transition.ts';
import { type BatchResult, runBatch } from './run-batch.ts';
import { isDiskFull, keepsPhase } from './write-faults.ts';

/** How long a full disk is left alone before the next attempt, in milliseconds. */
const DISK_WAIT_MS = 2_000;

/** What stays the same all through a job. */
interface JobFacts {
  readonly id: string;
  readonly identification: string;
  readonly created: number;
  readonly wishes: readonly Wish[];
}

export class Job implements Work {
  readonly id: string;
  readonly identification: string;
  readonly #facts: JobFacts;
  readonly #ports: JobPorts;
  readonly #guard: JobGuard;
  readonly #stop = new AbortController();
  readonly #over: Promise<void>;
  #phase: Phase;
  #reader: string;
  #link: CardLink | undefined;
  /** Requests and batches under way. */
  #busy = 0;
  #tellOver: () => void = () => undefined;
  #tellReleased: () => void = () => undefined;

  private constructor(ports: JobPorts, facts: JobFacts, reader: string, phase: Phase, guard: JobGuard) {
    this.id = facts.id;
    this.identification = facts.identification;
    this.#facts = facts;
    this.#ports = ports;
    this.#guard = guard;
    this.#reader = reader;
    this.#phase = phase;
    this.#over = new Promise((resolve) => {
      this.#tellOver = resolve;
    });
  }

  /** A new job, in the journal when this returns; its card is to be attached in the same turn. @throws KaikaError station-disk-full */
  static begin(ports: JobPorts, request: JobRequest, identification: string): Job {
    const created = ports.clock.now();
    ports.journal.begin(request, identification, created);
    const facts = { id: request.requestId, identification, created, wishes: request.wishes };
    const guard = new JobGuard(ports, request, identification, false);
    return new Job(ports, facts, request.reader, begun(request), guard);
  }

  /** A job that an earlier run of the program left. */
  static resume(ports: JobPorts, row: UnfinishedJob): Job {
    const { requestId: id, identification, created, request } = row;
    const facts = { id, identification, created, wishes: request.wishes };
    const guard = new JobGuard(ports, request, identification, true);
    return new Job(ports, facts, row.reader, resumed(row), guard);
  }

  /** Whether staff still have to do with it. */
  get inHand(): boolean {
    return isInHand(this.#phase);
  }

  /** Whether nothing is left to do, for the server neither. */
  get finished(): boolean {
    return this.#phase.kind === 'ended';
  }

  /** Whether it may have the card now: it is in hand and has none. */
  get wantsCard(): boolean {
    return wantsCard(this.#phase);
  }

  /** Where it stands, in one word. */
  get state(): JobState['kind'] {
    return shownOf(this.#phase).kind;
  }

  get reader(): string {
    return this.#reader;
  }

  view(): JobView {
    const { id, identification, created, wishes } = this.#facts;
    return {
      id,
      reader: this.#reader,
      card: identification,
      created: new Date(created).toISOString(),
      wishes: wishes.map(({ app, action }) => ({ app, action })),
      progress: this.#phase.progress,
      state: shownOf(this.#phase),
    };
  }

  /** Gives the job its card. The promise resolves when the job needs it no more, or it is lost. */
  attach(link: CardLink): Promise<void> {
    const released = new Promise<void>((resolve) => {
      this.#tellReleased = resolve;
    });
    this.#link = link;
    this.#reader = link.reader;
    void link.lost.then(() => this.#lost(link));
    if (this.wantsCard) this.#guard.cardReset();
    this.#dispatch({ kind: 'card-came' });
    return released;
  }

  /**
   * Staff give the job up. What the server must still be told is told in the background.
   * @throws KaikaError job-in-hand while commands are running; station-disk-full; what the journal throws when it cannot be written
   */
  abandon(): void {
    if (!this.inHand) return;
    if (!mayBeGivenUp(this.#phase)) throw new KaikaError('job-in-hand', 'commands are running');
    const error = this.#dispatch({ kind: 'given-up' });
    if (error !== undefined) throw error;
  }

  /** Stops after the batch that is running, if any; the journal has everything. `run` then resolves. */
  close(): void {
    this.#stop.abort();
    this.#settle();
  }

  /** Runs to the end, or until `close`. Never rejects. */
  run(): Promise<void> {
    this.#dispatch({ kind: 'go' });
    this.#settle();
    return this.#over;
  }

  /** Why the step was not taken, when it could not be written. */
  #dispatch(event: JobEvent): unknown {
    const step = transition(this.#phase, event);
    if ('write' in step) {
      try {
        this.#ports.journal.write(this.id, step.write, this.#ports.clock.now());
      } catch (error) {
        this.#logError(error);
        if (isDiskFull(error) || event.kind === 'broken' || keepsPhase(step.write, event)) {
          this.#take(step.ifFull);
        } else this.#dispatch({ kind: 'broken' });
        return error;
      }
    }
    this.#take(step);
    return undefined;
  }

  #take({ phase, effects }: Taken): void {
    const before = this.#phase;
    this.#phase = phase;
    const changed =
      before.progress !== phase.progress ||
      JSON.stringify(shownOf(before)) !== JSON.stringify(shownOf(phase));
    if (changed) this.#ports.onChange(this.id);
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case 'release':
        this.#link = undefined;
        this.#tellReleased();
        break;
      case 'scrub':
        // While a request travels: it takes the disk some time, and nobody waits for it.
        setImmediate(() => this.#ports.journal.scrub());
        break;
      case 'next':
        this.#dispatch(effect.event);
        break;
      case 'after-pause':
        void this.#ports.clock.sleep(DISK_WAIT_MS, this.#stop.signal).then(() => {
          if (!this.#stop.signal.aborted) this.#dispatch(effect.event);
        });
        break;
      case 'ask-job':
        this.#work(() => askForJob(this.#asker, effect));
        break;
      case 'ask-answers':
        this.#work(() => askForReply(this.#asker, effect));
        break;
      case 'run':
        this.#work(() => this.#run(effect.batch));
        break;
    }
  }

  /** Does something that takes time, unless the job is to stop; what comes of it is the next event. */
  #work(work: () => Promise<JobEvent>): void {
    if (this.#stop.signal.aborted) return;
    this.#busy += 1;
    void work()
      .catch((error): JobEvent => {
        this.#logError(error);
        return { kind: 'broken' };
      })
      .then((happened) => {
        this.#busy -= 1;
        const event = this.#guard.checked(happened, this.#phase);
        // A reply that came too late to be acted upon is asked for again by the next run of the program; what the card said is kept.
        if (event.kind === 'ran' || !this.#stop.signal.aborted) this.#dispatch(event);
      })
      .catch((error) => {
        this.#logError(error);
        this.#dispatch({ kind: 'broken' });
      })
      .catch((error) => this.#logError(error))
      .finally(() => this.#settle());
  }

  #settle(): void {
    if (this.#busy > 0 || (this.#phase.kind !== 'ended' && !this.#stop.signal.aborted)) return;
    this.#stop.abort();
    this.#do({ kind: 'release' });
    this.#tellOver();
  }

  get #asker(): Asker {
    return {
      id: this.id,
      ports: this.#ports,
      signal: this.#stop.signal,
      phase: () => this.#phase,
      tell: (event) => void this.#dispatch(event),
    };
  }

  async #run(batch: Batch): Promise<JobEvent> {
    const { journal, log } = this.#ports;
    const link = this.#link;
    // The card may have gone since the batch was stored.
    if (link === undefined) {
      return { kind: 'ran', report: { answers: [], stoppedAt: 0, reached: false }, diskFull: false };
    }
    const refused = this.#guard.refuses(batch);
    if (refused !== undefined) return refused;
    const result: BatchResult = await runBatch(batch, {
      card: link,
      noteEffect: (index) => journal.noteEffect(this.id, index),
      onCommand: (index, label, effect) => this.#dispatch({ kind: 'command', index, label, effect }),
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
    const { fault, ...report } = result;
    this.#guard.ran(batch, report);
    if (fault?.kind === 'card') {
      log('warn', 'card fault', { job: this.id, code: fault.card, detail: fault.detail });
      // Also where the answer itself was nonsense: the card is reset before anything else is sent to it.
      link.lose(fault.card);
    }
    this.#lost(link);
    return { kind: 'ran', report, diskFull: fault?.kind === 'disk' };
  }

  /** Tells the machine that this link was lost, once, and not of a link that is no longer the job's. */
  #lost(link: CardLink): void {
    if (this.#link !== link || link.loss === undefined) return;
    const { event, fault } = link.loss;
    this.#guard.cardReset();
    this.#dispatch({ kind: 'card-went', event, code: codeOfCardFault(fault) });
  }

  #logError(error: unknown): void {
    this.#ports.log('error', 'job error', {
      job: this.id,
      code: error instanceof KaikaError ? error.code : 'internal',
      ...(error instanceof Error ? { detail: error.name } : {}),
    });
  }
}
