/** What a test of jobs has of the server: a rig, a job's steps, and what is said on the way. The card's side of it is in visits.ts. */

export { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
export type { JobContext } from '../../app/keyserver/jobs/context.ts';
export { startJob } from '../../app/keyserver/jobs/start-job.ts';
export { readCardRecord } from '../../app/keyserver/records/card-record.ts';
export type {
  AnswersRequest,
  Batch,
  ConfirmedDeletion,
  JobReply,
  JobRequest,
  Outcome,
  StepReply,
  Wish,
} from '../../app/protocol/wire.ts';
export {
  HIGH_LIMITS,
  type IssuerRig,
  issuerRig,
  newRequestId,
  randomDigits,
  tokenRig,
} from './issuer-rig.ts';
export { batchOf, outcomeOf, refusal, storeText } from './issuer-steps.ts';
export { writeOperator } from './operators.ts';
export { onEveryStore } from './stores.ts';
