/** What is done with a rig: a station's steps on its server's inside, and looks at what is on record. */
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext, OperatorCaller, StationCaller } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { readCardState } from '../../app/keyserver/store/cards.ts';
import type { AnswersRequest, JobReply, JobRequest, Wish } from '../../app/protocol/wire.ts';
import type { CardDevice } from '../../app/simulator/device.ts';
import { CALLER, carry, issue, look, request } from './forwarder.ts';

export function verbsOf(context: JobContext) {
  return {
    /** What a station reads of a card before a job. */
    look: (card: CardDevice) => look(card, context),
    /** What a station asks for after that; `opening` names the app whose challenge it takes with it. */
    request: (card: CardDevice, account: string, wishes: Wish[], opening?: string) =>
      request(card, context, account, wishes, opening),
    start: (asked: JobRequest, caller: OperatorCaller = CALLER) => startJob(context, caller, asked),
    answer: (job: string, seq: number, report: AnswersRequest, caller: StationCaller = CALLER) =>
      answerStep(context, caller, job, seq, report),
    /** Carries a job to its end. */
    carry: (card: CardDevice, reply: JobReply, caller: StationCaller = CALLER) =>
      carry(card, context, reply, caller),
    /** A whole job. */
    issue: (
      card: CardDevice,
      account: string,
      wishes: Wish[],
      opening?: string,
      caller: OperatorCaller = CALLER,
    ) => issue(card, context, account, wishes, opening, caller),
    /** What an auditor is told of a card. */
    record: (identification: string, before?: string) => readCardRecord(context, identification, before),
    /** What the issuer knows of a card. */
    state: (identification: string) => readCardState(context.store, identification),
  };
}

export type RigVerbs = ReturnType<typeof verbsOf>;
