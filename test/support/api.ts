/** What a test of the wire has: the server behind its real HTTPS face, what is read of its answers, and a card to ask for. */

export { errorBodySchema } from '../../app/protocol/errors.ts';
export {
  type AnswersRequest,
  type Batch,
  type JobReply,
  jobReplySchema,
  type Outcome,
  stepReplySchema,
  type Wish,
} from '../../app/protocol/wire.ts';
export { expectDiscreet, expectError } from './error-answers.ts';
export { ENABLE, runBatch } from './forwarder.ts';
export { type Answer, type Client, type HttpsRig, httpsRig, SECRET } from './https-rig.ts';
export { randomDigits } from './issuer-rig.ts';
export { batchOf, storeText } from './issuer-steps.ts';
export { writeStation } from './operators.ts';
export { onEveryStore } from './stores.ts';
