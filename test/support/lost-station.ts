/** A station that is lost in the middle of a job: what became of its last batch is never reported. */
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import type { JobReply, JobRequest } from '../../app/protocol/wire.ts';
import type { CardDevice } from '../../app/simulator/device.ts';
import { CALLER, runBatch } from './forwarder.ts';

/** Carries a job until power is lost, and then forgets all about it. Gives whether that happened before the job's end. */
export async function carryUntilTorn(
  device: CardDevice,
  context: JobContext,
  reply: JobReply,
): Promise<boolean> {
  let batch = reply.batch;
  while (batch !== undefined) {
    const report = await runBatch(device, batch);
    if (report.cardEvent !== undefined) return true;
    const next = await answerStep(context, CALLER, reply.job, batch.seq, report);
    batch = 'batch' in next ? next.batch : undefined;
  }
  return false;
}

/** Starts a job and loses its station with the card's power, which is then on again. */
export async function loseStation(
  device: CardDevice,
  context: JobContext,
  asked: JobRequest,
): Promise<boolean> {
  const torn = await carryUntilTorn(device, context, await startJob(context, CALLER, asked));
  if (torn) device.powerOn();
  return torn;
}
