/** A key server for one job: it answers the same request in the same way, and says at once when answers are not what the card said. */
import { expect } from 'vitest';
import type {
  AnswersRequest,
  Batch,
  JobReply,
  JobRequest,
  StepReply,
} from '../../../../app/protocol/wire.ts';
import type { JobEvent } from '../../../../app/station/jobs/machine/events.ts';
import { OUTCOME, PLAN } from './samples.ts';

/** Writes that a job takes. */
const STEPS = 3;

/** What the card answered to a batch, and the last effect that was noted before its command. */
interface Said {
  readonly answers: readonly string[];
  readonly noted?: number;
}

export class JobServer {
  /** Requests that were taken in. */
  requests = 0;
  #requestId: string | undefined;
  #first: JobReply | undefined;
  #batch: Batch | undefined;
  #left = STEPS;
  readonly #said = new Map<number, Said>();
  readonly #posted = new Map<number, string>();
  readonly #replies = new Map<number, StepReply>();

  get ended(): boolean {
    return this.#left === 0;
  }

  /** Tells what really happened on the card, for comparing. */
  said(seq: number, said: Said): void {
    this.#said.set(seq, { ...this.#said.get(seq), ...said });
  }

  postJob({ requestId, cardEpoch }: JobRequest, inHand: boolean): JobEvent {
    expect(requestId, 'one request id').toBe(this.#requestId ?? requestId);
    this.#requestId = requestId;
    this.requests += 1;
    if (this.#first === undefined) {
      if (!inHand) return { kind: 'not-answered', code: 'not-found', details: {} };
      this.#batch = batchOf(1, cardEpoch);
      this.#first = { apiLevel: 1, job: 'job-00000001', generation: 1, plan: PLAN, batch: this.#batch };
    }
    return { kind: 'job-reply', reply: this.#first };
  }

  postAnswers(seq: number, answers: AnswersRequest): JobEvent {
    this.requests += 1;
    const text = JSON.stringify(answers);
    expect(this.#posted.get(seq) ?? text, 'the same answers every time').toBe(text);
    const reply = this.#replies.get(seq) ?? this.#take(seq, answers);
    this.#posted.set(seq, text);
    this.#replies.set(seq, reply);
    return { kind: 'step-reply', reply };
  }

  #take(seq: number, answers: AnswersRequest): StepReply {
    expect(this.#batch?.seq, 'answers to the batch that is out').toBe(seq);
    this.#compare(this.#said.get(seq), answers);
    if (answers.stoppedAt === undefined) this.#left -= 1;
    if (this.#left === 0) return { apiLevel: 1, outcome: { ...OUTCOME, apps: [], deleted: [] } };
    this.#batch = batchOf(seq + 1, answers.cardEpoch);
    return { apiLevel: 1, batch: this.#batch };
  }

  /** Everything that the card said is in the answers, or after a crash they admit what may have happened. */
  #compare(said: Said | undefined, { answers, stoppedAt, reached, cardEvent }: AnswersRequest): void {
    if (said === undefined)
      expect({ answers, stoppedAt, reached }).toEqual({ answers: [], stoppedAt: 0, reached: false });
    else if (cardEvent === 'lost' && answers.length === 0) {
      expect({ stoppedAt, reached }).toEqual({
        stoppedAt: said.noted ?? 0,
        reached: said.noted !== undefined,
      });
    } else expect(answers).toEqual(said.answers);
  }
}

function batchOf(seq: number, cardEpoch: number): Batch {
  return {
    seq,
    cardEpoch,
    commands: [
      { apdu: '0084000004', accept: ['9000'], label: { step: 'challenge' } },
      {
        apdu: `80F001${seq % 10}0`,
        accept: ['9000'],
        effect: true,
        label: { step: 'write-master-control-key' },
      },
    ],
  };
}
