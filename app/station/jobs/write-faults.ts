/** What a write to the journal that failed means for the job. */
import { KaikaError } from '../../protocol/errors.ts';
import type { JobEvent, Write } from './machine/events.ts';

export function isDiskFull(error: unknown): boolean {
  return error instanceof KaikaError && error.code === 'station-disk-full';
}

/**
 * Whether the phase must outlive a write that failed for whatever reason. The server's outcome is true and must not be overwritten with an
 * error of the station's; a job that staff could not give up goes on, because the server was told nothing.
 */
export function keepsPhase(write: Write, { kind }: JobEvent): boolean {
  return kind === 'given-up' || (write.kind === 'end' && write.how.outcome !== undefined);
}
