/**
 * What is around one job, in a few lines: a disk that may be full, a server that answers the same request in the same way, a card that is
 * pulled. It does the machine's effects one by one, may be killed before each, and says at once when something must not have happened.
 */
import { expect } from 'vitest';
import { KaikaError } from '../../../../app/protocol/errors.ts';
import type { Batch } from '../../../../app/protocol/wire.ts';
import type { Journal } from '../../../../app/station/jobs/journal/journal.ts';
import type { Effect, JobEvent, Taken } from '../../../../app/station/jobs/machine/events.ts';
import {
  isInHand,
  mayBeGivenUp,
  type Phase,
  shownOf,
  wantsCard,
} from '../../../../app/station/jobs/machine/phases.ts';
import { resumed } from '../../../../app/station/jobs/machine/resume.ts';
import { begun, transition } from '../../../../app/station/jobs/machine/transition.ts';
import { newJobRequest } from '../../../support/job-request.ts';
import { JobServer } from './job-server.ts';

export const ACTIONS = [
  'reply',
  'lose-reply',
  'lose-request',
  'refuse',
  'too-late',
  'command',
  'tear-before',
  'tear-after',
  'pull',
  'insert',
  'give-up',
  'pause',
  'fill',
  'empty',
  'crash',
] as const;
export type Action = (typeof ACTIONS)[number];

class Killed extends Error {}

interface Running {
  readonly batch: Batch;
  readonly answers: string[];
  /** The card in whose stay it was begun: to another one its commands cannot get. */
  readonly stay: number | undefined;
}

export class JobWorld {
  readonly #journal: Journal;
  readonly #request = newJobRequest();
  #phase: Phase;
  #full = false;
  /** Effects and writes until the program is killed; 0 for never. */
  #fuse = 0;
  #ask: Extract<Effect, { kind: 'ask-job' | 'ask-answers' }> | undefined;
  #running: Running | undefined;
  #pauses: JobEvent[] = [];
  /** Counts the times that the card was put in; which of them is the one it is in now, if it is the job's. */
  #stays = 1;
  #stay: number | undefined = 1;

  readonly #begunBatches = new Set<number>();
  readonly #stayOfEpoch = new Map<number, number>();
  #endings = 0;

  readonly #server = new JobServer();
  #refused = false;

  constructor(journal: Journal) {
    this.#journal = journal;
    journal.begin(this.#request, '6200000000000001', 0);
    this.#phase = begun(this.#request);
    this.#guard(() => this.#dispatch({ kind: 'go' }));
  }

  /** Requests that the server took in. */
  get requests(): number {
    return this.#server.requests;
  }

  crashAfter(effects: number): void {
    this.#fuse = effects;
  }

  act(action: Action): void {
    this.#guard(() => this.#act(action));
  }

  /** What the disk says can be read, and is what the program believes. */
  check(): void {
    const row = this.#journal.find(this.#request.requestId);
    expect(row?.phase).toBe(this.#phase.kind === 'stopped' ? 'started' : this.#phase.kind);
    expect(this.#endings).toBe(this.#phase.kind === 'ended' ? 1 : 0);
    if (shownOf(this.#phase).kind === 'done') expect(this.#server.ended).toBe(true);
  }

  /** From here on all goes well: the job comes to its end. */
  finish(): void {
    this.#fuse = 0;
    this.#full = false;
    for (let turn = 0; turn < 200 && this.#phase.kind !== 'ended'; turn += 1) {
      for (const action of ['pause', 'insert', 'command', 'reply'] as const) this.act(action);
      this.check();
    }
    expect(this.#phase.kind).toBe('ended');
    const { kind } = shownOf(this.#phase);
    if (kind === 'failed') expect(this.#refused).toBe(true);
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      this.#restart();
    }
  }

  #moment(): void {
    if (this.#fuse === 0) return;
    this.#fuse -= 1;
    if (this.#fuse === 0) throw new Killed();
  }

  #restart(): void {
    this.#ask = undefined;
    this.#running = undefined;
    this.#pauses = [];
    this.#stay = undefined;
    this.#fuse = 0;
    const row = this.#journal.find(this.#request.requestId);
    if (row === undefined) throw new Error('the job is gone from the journal');
    if (row.phase === 'ended') {
      this.#phase = { kind: 'ended', progress: this.#phase.progress, shown: { kind: 'abandoned' } };
      return;
    }
    this.#phase = resumed(row);
    this.#dispatch({ kind: 'go' });
  }

  #dispatch(event: JobEvent): void {
    const step = transition(this.#phase, event);
    if ('write' in step) {
      this.#moment();
      if (this.#full) {
        this.#take(step.ifFull);
        return;
      }
      this.#journal.write(this.#request.requestId, step.write, 0);
      if (step.write.kind === 'end') this.#endings += 1;
      this.#moment();
    }
    this.#take(step);
  }

  #take({ phase, effects }: Taken): void {
    this.#phase = phase;
    for (const effect of effects) {
      this.#moment();
      this.#do(effect);
    }
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case 'release':
        this.#stay = undefined;
        break;
      case 'scrub':
        break;
      case 'next':
        this.#dispatch(effect.event);
        break;
      case 'after-pause':
        this.#pauses.push(effect.event);
        break;
      case 'ask-job':
      case 'ask-answers':
        expect(this.#ask, 'one request at a time').toBeUndefined();
        this.#ask = effect;
        break;
      case 'run': {
        const { batch } = effect;
        expect(this.#begunBatches, 'a batch is begun once').not.toContain(batch.seq);
        expect(this.#journal.find(this.#request.requestId)).toMatchObject({ phase: 'started', batch });
        this.#begunBatches.add(batch.seq);
        this.#server.said(batch.seq, { answers: [] });
        this.#running = { batch, answers: [], stay: this.#stay };
        break;
      }
    }
  }

  #act(action: Action): void {
    switch (action) {
      case 'reply':
        this.#answer(true);
        break;
      case 'lose-reply':
        this.#answer(false);
        break;
      case 'lose-request':
        this.#silent();
        break;
      case 'refuse':
        this.#refuse();
        break;
      case 'too-late':
        if (this.#ask?.kind !== 'ask-job' || !this.#ask.limited) return;
        this.#ask = undefined;
        this.#refused = true;
        this.#dispatch({ kind: 'not-answered', code: 'server-away', details: {} });
        break;
      case 'command':
      case 'tear-before':
      case 'tear-after':
        this.#command(action);
        break;
      case 'pull':
        if (this.#stay === undefined) return;
        this.#dispatch({ kind: 'card-went', event: 'removed', code: 'card-removed' });
        break;
      case 'insert':
        if (!wantsCard(this.#phase)) return;
        this.#stays += 1;
        this.#stay = this.#stays;
        this.#dispatch({ kind: 'card-came' });
        break;
      case 'give-up':
        if (mayBeGivenUp(this.#phase)) this.#dispatch({ kind: 'given-up' });
        return;
      case 'pause': {
        const event = this.#pauses.shift();
        if (event !== undefined) this.#dispatch(event);
        return;
      }
      case 'fill':
      case 'empty':
        this.#full = action === 'fill';
        return;
      case 'crash':
        throw new Killed();
    }
  }

  #silent(): void {
    if (this.#ask === undefined) return;
    this.#dispatch({ kind: 'server-silent', code: 'server-away', at: '2026-01-01T00:00:00.000Z' });
  }

  #refuse(): void {
    const ask = this.#ask;
    if (ask === undefined) return;
    this.#ask = undefined;
    this.#refused = true;
    if (ask.kind === 'ask-job') this.#dispatch({ kind: 'attempt-lost' });
    this.#dispatch({ kind: 'not-answered', code: 'job-superseded', details: {} });
  }

  #answer(arrives: boolean): void {
    const ask = this.#ask;
    if (ask === undefined) return;
    const event =
      ask.kind === 'ask-job'
        ? this.#server.postJob(ask.request, isInHand(this.#phase))
        : this.#server.postAnswers(ask.seq, ask.answers);
    if (!arrives) {
      if (ask.kind === 'ask-job') this.#dispatch({ kind: 'attempt-lost' });
      this.#silent();
      return;
    }
    this.#ask = undefined;
    this.#dispatch(event);
  }

  #command(how: 'command' | 'tear-before' | 'tear-after'): void {
    const running = this.#running;
    if (running === undefined) return;
    const { batch, answers } = running;
    const here = this.#stay !== undefined && this.#stay === running.stay;
    const index = answers.length;
    const command = batch.commands[index];
    if (command === undefined) throw new Error('no command');
    if (command.effect === true) {
      if (this.#full) {
        this.#running = undefined;
        const report = { answers: [...answers], stoppedAt: index, reached: false };
        this.#dispatch({ kind: 'ran', report, diskFull: true });
        return;
      }
      this.#journal.noteEffect(this.#request.requestId, index);
      this.#server.said(batch.seq, { answers: [...answers], noted: index });
      this.#moment();
    }
    this.#dispatch({ kind: 'command', index, label: command.label, effect: command.effect === true });
    if (!here || how !== 'command') {
      const reached = here;
      if (reached) this.#onCard(batch);
      this.#running = undefined;
      if (reached) this.#dispatch({ kind: 'card-went', event: 'removed', code: 'card-removed' });
      const report = { answers: [...answers], stoppedAt: index, reached };
      this.#dispatch({ kind: 'ran', report, diskFull: false });
      return;
    }
    this.#onCard(batch);
    answers.push('9000');
    this.#server.said(batch.seq, { answers: [...answers] });
    if (answers.length < batch.commands.length) return;
    this.#running = undefined;
    this.#dispatch({ kind: 'ran', report: { answers: [...answers] }, diskFull: false });
  }

  /** A command reaches the card: one epoch is one stay of it in a reader. */
  #onCard({ cardEpoch }: Batch): void {
    if (this.#stay === undefined) throw new KaikaError('no-card');
    const stay = this.#stayOfEpoch.get(cardEpoch) ?? this.#stay;
    expect(this.#stay, 'the epoch of another stay').toBe(stay);
    this.#stayOfEpoch.set(cardEpoch, stay);
  }
}
