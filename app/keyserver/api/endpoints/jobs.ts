/** Jobs on cards, and what stations give back after a restored backup. */
import { z } from 'zod';
import { KaikaError } from '../../../protocol/errors.ts';
import { receiptsReplySchema, receiptsRequestSchema } from '../../../protocol/receipts.ts';
import {
  answersRequestSchema,
  type JobReply,
  jobReplySchema,
  jobRequestSchema,
  LIMITS,
  type StepReply,
  stepReplySchema,
} from '../../../protocol/wire.ts';
import { answerStep } from '../../jobs/answer-step.ts';
import { startJob } from '../../jobs/start-job.ts';
import type { Metrics } from '../../operations/metrics.ts';
import { takeReceipts } from '../../recovery/take-receipts.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';

export const JOB_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/jobs',
    may: 'issue',
    summary: 'begin a job',
    body: { schema: jobRequestSchema, bytes: 65_536 },
    reply: jobReplySchema,
    // What staff typed is told apart from what a station got wrong.
    refusal: ({ issues }) =>
      issues.every((issue) => issue.path[0] === 'account')
        ? new KaikaError('account-invalid', 'an account has 8 to 20 decimal digits')
        : undefined,
    async handle({ context, metrics }, { caller, body }) {
      const reply = await startJob(context, caller, body);
      metrics.add('kaika_jobs_started_total');
      countEnd(metrics, reply);
      return reply;
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/jobs/{job}/answers/{seq}',
    // No operator's token: what a card said must reach the record though the operator has gone home.
    may: 'station',
    summary: 'report on a batch of a job of its own, get the next',
    params: z.strictObject({ job: z.uuid(), seq: z.coerce.number<string>().int().min(1).max(100_000) }),
    // 400 answers of 258 bytes in hexadecimal, quoted.
    body: { schema: answersRequestSchema, bytes: 262_144 },
    reply: stepReplySchema,
    async handle({ context, metrics }, { caller, params, body }) {
      const reply = await answerStep(context, caller, params.job, params.seq, body);
      metrics.add('kaika_steps_total');
      countEnd(metrics, reply);
      return reply;
    },
  }),
  endpoint({
    method: 'POST',
    path: '/v1/receipts',
    may: 'station',
    summary: 'give back what was told before a backup was restored',
    body: { schema: receiptsRequestSchema, bytes: LIMITS.bodyBytes },
    reply: receiptsReplySchema,
    async handle({ context, metrics, receipts }, { caller, body }) {
      const reply = await receipts.run(
        caller.station,
        'receipts of this station are being taken, or too many others wait',
        () => takeReceipts(context, caller, body.receipts),
      );
      for (const end of ['taken', 'known', 'refused'] as const)
        metrics.add('kaika_receipts_total', { end }, reply[end]);
      return reply;
    },
  }),
];

/** A request that is repeated is counted again: figures are for watching, the record is in the store. */
function countEnd(metrics: Metrics, reply: JobReply | StepReply): void {
  if (!('outcome' in reply) || reply.outcome === undefined) return;
  metrics.add('kaika_jobs_total', { result: reply.outcome.result });
  metrics.add('kaika_job_trips_total', {}, reply.outcome.trips);
}
