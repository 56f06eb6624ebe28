/**
 * A key server of a few lines. A job is a number of steps, each one write to the card; it keeps its state as a value, answers
 * a repeated request with the stored reply, and asks the card about a write whose outcome is not known. It is strict where
 * the real one is: other answers to an answered step are a conflict.
 */

import type { CardRecord } from '../../app/protocol/card-record.ts';
import type { ReceiptsReply, ReceiptsRequest } from '../../app/protocol/receipts.ts';
import type { CurrentSession } from '../../app/protocol/server-state.ts';
import {
  type AnswersRequest,
  API_LEVEL,
  type Batch,
  type Command,
  type JobReply,
  type JobRequest,
  type Outcome,
  type SignInReply,
  type StepReply,
} from '../../app/protocol/wire.ts';
import { RefusedError, type ServerClient, UnreachedError } from '../../app/station/server/client.ts';

interface JobRecord {
  readonly id: string;
  readonly request: string;
  readonly first: string;
  /** Answers and reply of each step, as text. */
  readonly steps: Record<number, { answers: string; reply: string }>;
  batch: Batch | null;
  step: number;
  asking: boolean;
  trips: number;
}

/** Everything the server knows; plain, so that a test may keep it on disk. */
export interface ServerMemory {
  jobs: Record<string, JobRecord>;
  outcomes: string[];
}

export class ScriptedServer implements ServerClient {
  memory: ServerMemory = { jobs: {}, outcomes: [] };
  /** Writes a job takes. */
  steps = 3;
  /** Every request that arrived: `job`, `answers 2`. */
  readonly log: string[] = [];
  readonly answers: AnswersRequest[] = [];
  /** Before a request arrives, and after it was taken in. Throw to lose the request or the reply. */
  before: (what: string) => void | Promise<void> = () => undefined;
  after: (what: string) => void | Promise<void> = () => undefined;
  /** Changes commands before they go out. */
  edit: (commands: Command[]) => Command[] = (commands) => commands;

  async signIn(): Promise<SignInReply> {
    await this.before('sign-in');
    return {
      apiLevel: API_LEVEL,
      token: 'token-of-twenty-characters',
      expires: '2030-01-01T00:00:00.000Z',
      operator: { id: 'op1', name: 'Operator One' },
    };
  }

  async currentSession(): Promise<CurrentSession> {
    await this.before('session');
    return { apiLevel: API_LEVEL, session: null };
  }

  async card(): Promise<CardRecord> {
    throw new RefusedError('not-found', 'not scripted', {}, 404);
  }

  async postReceipts(_request: ReceiptsRequest): Promise<ReceiptsReply> {
    throw new RefusedError('not-found', 'not scripted', {}, 404);
  }

  close(): void {}

  async postJob(request: JobRequest): Promise<JobReply> {
    await this.before('job');
    this.log.push('job');
    const text = JSON.stringify(request);
    const known = this.memory.jobs[request.requestId];
    if (known !== undefined && known.request !== text)
      throw new RefusedError('request-conflict', '', {}, 409);
    if (known === undefined) {
      const id = `job-${request.requestId}`;
      const record: JobRecord = {
        id,
        request: text,
        first: '',
        steps: {},
        batch: null,
        step: 1,
        asking: false,
        trips: 1,
      };
      const batch = this.#batch(record, 1, request.cardEpoch);
      const reply: JobReply = {
        apiLevel: API_LEVEL,
        job: id,
        generation: 1,
        plan: {
          steps: [{ kind: 'enable', app: 'e-wallet' }],
          trips: this.steps + 1,
          memory: { needed: 0, free: null },
        },
        batch,
      };
      this.memory.jobs[request.requestId] = { ...record, batch, first: JSON.stringify(reply) };
    }
    await this.after('job');
    const first = this.memory.jobs[request.requestId]?.first ?? '';
    return JSON.parse(first) as JobReply;
  }

  async postAnswers(job: string, seq: number, request: AnswersRequest): Promise<StepReply> {
    await this.before(`answers ${seq}`);
    this.log.push(`answers ${seq}`);
    this.answers.push(request);
    const record = this.memory.jobs[job.slice(4)];
    if (record === undefined) throw new RefusedError('not-found', '', {}, 404);
    const text = JSON.stringify(request);
    const stored = record.steps[seq];
    if (stored !== undefined && stored.answers !== text) throw new RefusedError('step-conflict', '', {}, 409);
    if (stored === undefined) {
      if (record.batch?.seq !== seq) throw new RefusedError('step-conflict', '', {}, 409);
      record.steps[seq] = { answers: text, reply: JSON.stringify(this.#take(record, seq, request)) };
    }
    await this.after(`answers ${seq}`);
    return JSON.parse(record.steps[seq]?.reply ?? '') as StepReply;
  }

  #take(record: JobRecord, seq: number, request: AnswersRequest): StepReply {
    record.trips += 1;
    const batch = record.batch;
    const complete = request.stoppedAt === undefined && request.answers.length === batch?.commands.length;
    const last = request.answers[request.answers.length - 1];
    if (complete && record.asking) {
      record.asking = false;
      if (last === '019000') record.step += 1;
    } else if (complete) record.step += 1;
    else if (request.reached !== false && !record.asking) record.asking = true;
    if (record.step > this.steps) {
      const outcome: Outcome = {
        result: 'complete',
        card: '6200000000000001',
        apps: [{ app: 'e-wallet', before: 'installed', after: 'enabled', keyVersions: { mck: 1, mtk: 1 } }],
        deleted: [],
        trips: record.trips,
        plannedTrips: this.steps + 1,
      };
      record.batch = null;
      this.memory.outcomes.push(record.id);
      return { apiLevel: API_LEVEL, outcome };
    }
    record.batch = this.#batch(record, seq + 1, request.cardEpoch);
    return { apiLevel: API_LEVEL, batch: record.batch };
  }

  /** Each write carries step and seq, so that no two are equal: a repeated one shows. */
  #batch(record: JobRecord, seq: number, cardEpoch: number): Batch {
    const step = hex(record.step);
    // After a reset nothing is selected.
    const select: Command[] =
      cardEpoch === 0
        ? []
        : [
            {
              apdu: '00A4040009F04B41494B4101000100',
              accept: ['9000'],
              label: { step: 'select-app', app: 'e-wallet' },
            },
          ];
    const commands: Command[] = record.asking
      ? [
          {
            apdu: `80F2${step}${hex(seq)}01`,
            accept: ['9000'],
            label: { step: 'read-state', app: 'e-wallet' },
          },
        ]
      : [
          { apdu: '0084000004', accept: ['9000'], label: { step: 'challenge', app: 'e-wallet' } },
          {
            apdu: `80F0${step}${hex(seq)}`,
            accept: ['9000'],
            effect: true,
            label: { step: 'write-maintenance-key', app: 'e-wallet' },
          },
        ];
    return { seq, cardEpoch, commands: this.edit([...select, ...commands]) };
  }
}

/** What the client throws when nobody answers. */
export function away(sent: boolean): UnreachedError {
  return new UnreachedError('server-away', 'scripted', sent);
}

function hex(value: number): string {
  return value.toString(16).padStart(2, '0').toUpperCase();
}
