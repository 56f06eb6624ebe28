/** A station that is lost in the middle of a job: what became of its last batch is never reported. */
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import type { JobRequest } from '../../app/protocol/wire.ts';
import type { CardDevice } from '../../app/simulator/device.ts';
import { CALLER, runBatch } from './forwarder.ts';

/** Carries a job until power is lost, and forgets all about it. Gives whether that happened before the job's end. */
export async function loseStation(
  device: CardDevice,
  context: JobContext,
  asked: JobRequest,
): Promise<boolean> {
  const reply = await startJob(context, CALLER, asked);
  let batch = reply.batch;
  while (batch !== undefined) {
    const report = await runBatch(device, batch);
    if (report.cardEvent !== undefined) {
      device.powerOn();
      return true;
    }
    const next = await answerStep(context, CALLER, reply.job, batch.seq, report);
    batch = 'batch' in next ? next.batch : undefined;
  }
  return false;
}
