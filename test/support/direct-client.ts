/** A server client without a line: the real job service in this process, for stories of a whole station. */
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext, OperatorCaller } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { takeReceipts } from '../../app/keyserver/recovery/take-receipts.ts';
import { KaikaError } from '../../app/protocol/errors.ts';
import { RefusedError, type ServerClient } from '../../app/station/server/client.ts';
import { CALLER } from './forwarder.ts';

/** What was sent and answered, body by body, is added to `heard`, where that is given. */
export function directClient(
  context: JobContext,
  heard?: string[],
  caller: OperatorCaller = CALLER,
): ServerClient {
  const asked = async <T>(request: unknown, answer: () => Promise<T>): Promise<T> => {
    heard?.push(JSON.stringify(request));
    try {
      const reply = await answer();
      heard?.push(JSON.stringify(reply));
      return reply;
    } catch (error) {
      if (!(error instanceof KaikaError)) throw error;
      heard?.push(JSON.stringify([error.code, error.message, error.details]));
      throw new RefusedError(error.code, error.message, error.details, 422);
    }
  };
  return {
    signIn: async () => ({
      apiLevel: 1,
      token: 'a token that is long enough',
      expires: '2099-01-01T00:00:00.000Z',
      operator: { id: caller.operator, name: caller.operator },
    }),
    postJob: (request) => asked(request, () => startJob(context, caller, request)),
    postAnswers: (job, seq, request) => asked(request, () => answerStep(context, caller, job, seq, request)),
    card: (identification) => asked(identification, () => readCardRecord(context, identification)),
    postReceipts: ({ receipts }) => asked(receipts, () => takeReceipts(context, caller, receipts)),
    currentSession: async () => ({ apiLevel: 1, session: null }),
    close: () => undefined,
  };
}
