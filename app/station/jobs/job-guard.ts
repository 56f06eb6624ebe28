/**
 * Stands between a job and what the server sends: nothing is kept, shown or sent to the card that breaks a rule of the station's. What it
 * knows of the card it has from the station's own commands and the card's answers; lost tries it keeps over jobs and restarts.
 */
import type { Batch, JobRequest } from '../../protocol/wire.ts';
import type { JobPorts } from './job-ports.ts';
import { type Breach, checkBatch } from './machine/check-batch.ts';
import { checkOutcome, checkPlan } from './machine/check-outcome.ts';
import type { JobEvent } from './machine/events.ts';
import type { Phase, Report } from './machine/phases.ts';
import { type JobRules, rulesFor } from './machine/rules.ts';
import { afterReset, ranBatch, sending, type Watch, watching } from './machine/watch.ts';

type Ports = Pick<JobPorts, 'catalogue' | 'lastTries' | 'journal' | 'log'>;

export class JobGuard {
  readonly #ports: Ports;
  readonly #id: string;
  readonly #rules: JobRules;
  #watch: Watch;

  /** `resumed`: an earlier run of the program left the job, and what it sent is not known here. */
  constructor(ports: Ports, request: JobRequest, card: string, resumed: boolean) {
    this.#ports = ports;
    this.#id = request.requestId;
    this.#rules = rulesFor(ports.catalogue, request, card, ports.lastTries);
    this.#watch = watching(this.#rules, ports.journal.triesLost(card), resumed);
  }

  /** The event as it may be acted upon: a reply that breaks a rule is refused whole. */
  checked(event: JobEvent, phase: Phase): JobEvent {
    const breach = this.#breachIn(event, phase);
    return breach === undefined ? event : this.#refused(breach);
  }

  /** Asked once more just before a batch is run; from then on it counts. Undefined: it may be run. */
  refuses(batch: Batch): JobEvent | undefined {
    const breach = checkBatch(batch, this.#watch, this.#rules);
    if (breach !== undefined) return this.#refused(breach);
    this.#watch = sending(this.#watch, batch, this.#rules);
    return undefined;
  }

  /** The batch has stopped or is through. A try that was lost is on the disk before anything else is sent. */
  ran(batch: Batch, report: Report): void {
    const before = this.#watch.lost;
    this.#watch = ranBatch(this.#watch, batch, report, this.#rules);
    for (const [key, lost] of Object.entries(this.#watch.lost)) {
      if (before[key] === lost || (before[key] === undefined && lost === 0)) continue;
      try {
        this.#ports.journal.noteTriesLost(this.#rules.card, key, lost);
      } catch (error) {
        // The disk is full. It counts for this job all the same, and jobs that begin are refused until there is room.
        const detail = error instanceof Error ? error.name : '';
        this.#ports.log('error', 'lost try not noted', { job: this.#id, detail });
      }
    }
  }

  /** Nothing is selected on the card any more. */
  cardReset(): void {
    this.#watch = afterReset(this.#watch);
  }

  #breachIn(event: JobEvent, phase: Phase): Breach | undefined {
    if (event.kind !== 'job-reply' && event.kind !== 'step-reply') return undefined;
    const { reply } = event;
    const plan = 'plan' in reply ? checkPlan(reply.plan, this.#rules) : undefined;
    if (plan !== undefined) return plan;
    if ('outcome' in reply && reply.outcome !== undefined)
      return checkOutcome(reply.outcome, this.#watch, this.#rules);
    if (!('batch' in reply) || reply.batch === undefined || phase.kind === 'ended') return undefined;
    // One for an epoch that is over, or of a job that was given up, is not run at all.
    const mayRun = phase.hands.kind === 'in-hand' && reply.batch.cardEpoch === phase.card.epoch;
    return mayRun ? checkBatch(reply.batch, this.#watch, this.#rules) : undefined;
  }

  #refused({ code, rule, index }: Breach): JobEvent {
    const count = index === undefined ? {} : { count: index };
    this.#ports.log('error', 'server reply refused', { job: this.#id, code, detail: rule, ...count });
    return { kind: 'reply-refused', code };
  }
}
