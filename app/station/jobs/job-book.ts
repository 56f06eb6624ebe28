/** The jobs of this station: those in hand, those whose end is still shown, those the server must still be told of. */
import { KaikaError } from '../../protocol/errors.ts';
import type { JobRequest } from '../../protocol/wire.ts';
import type { WorkSource } from '../readers/work.ts';
import type { JobView, Notification } from '../views.ts';
import type { JobPorts } from './job-ports.ts';
import type { UnfinishedJob } from './journal/rows.ts';
import { Job } from './runner.ts';

interface JobBookPorts {
  readonly jobs: JobPorts;
  readonly tell: (notification: Notification) => void;
  /** Keeps a running job's promise until it is through. */
  readonly track: (run: Promise<void>) => void;
}

export class JobBook implements WorkSource {
  readonly #ports: JobBookPorts;
  readonly #jobs = new Map<string, Job>();
  #closed = false;

  constructor(ports: JobBookPorts) {
    this.#ports = ports;
  }

  views(): JobView[] {
    return [...this.#jobs.values()].map((job) => job.view());
  }

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** A job for this card that has none at the moment. */
  claim(identification: string): Job | undefined {
    return this.#find((job) => job.wantsCard && job.identification === identification);
  }

  /** A job in hand for this card. */
  inHandFor(identification: string): Job | undefined {
    return this.#find((job) => job.inHand && job.identification === identification);
  }

  /** A job begun in this reader that waits for its card. */
  waitingIn(reader: string): Job | undefined {
    return this.#find((job) => job.wantsCard && job.reader === reader);
  }

  /** Ids of the jobs that wait for their card. */
  waiting(): string[] {
    return [...this.#jobs.values()].filter((job) => job.wantsCard).map((job) => job.id);
  }

  anyInHand(): boolean {
    return this.#find((job) => job.inHand) !== undefined;
  }

  /** @throws KaikaError station-disk-full when no job may be begun. */
  checkRoom(): void {
    if (!this.#ports.jobs.journal.hasRoom()) throw new KaikaError('station-disk-full');
  }

  /**
   * Writes a job down; its card is to be attached in the same turn.
   * @throws KaikaError station-disk-full; reader-lost when the station is closing: nothing would run it
   */
  begin(request: JobRequest, identification: string): Job {
    if (this.#closed) throw new KaikaError('reader-lost', 'the station is closing');
    return this.#take(Job.begin(this.#ports.jobs, request, identification));
  }

  /** Takes up a job of an earlier run of the program. */
  resume(row: UnfinishedJob): void {
    this.#take(Job.resume(this.#ports.jobs, row));
  }

  /** Forgets jobs that are through and that no reader shows. */
  forget(shown: ReadonlySet<string>): void {
    for (const [id, job] of [...this.#jobs]) {
      if (job.inHand || !job.finished || shown.has(id)) continue;
      this.#jobs.delete(id);
      this.#ports.tell({ kind: 'job-gone', id });
    }
  }

  /** Each job stops after the batch that is running; no other is begun. */
  close(): void {
    this.#closed = true;
    for (const job of this.#jobs.values()) job.close();
  }

  #take(job: Job): Job {
    this.#jobs.set(job.id, job);
    this.#ports.tell({ kind: 'job', job: job.view() });
    this.#ports.track(Promise.resolve().then(() => job.run()));
    return job;
  }

  #find(fits: (job: Job) => boolean): Job | undefined {
    for (const job of this.#jobs.values()) if (fits(job)) return job;
    return undefined;
  }
}
