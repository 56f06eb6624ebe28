/** Where a page of jobs goes on: behind which job, and up to which moment the search that began it looks. */
import { z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';

export interface Cursor {
  /** Jobs from this moment on are not part of the search, so that its pages fit together. */
  readonly until: string;
  readonly started: string;
  readonly job: string;
}

const partsSchema = z.tuple([z.iso.datetime(), z.iso.datetime(), z.uuid()]);

export function writeCursor({ until, started, job }: Cursor): string {
  return Buffer.from(`${until} ${started} ${job}`).toString('base64url');
}

/** @throws KaikaError `bad-request` for one that we did not make */
export function readCursor(text: string): Cursor {
  const parts = partsSchema.safeParse(Buffer.from(text, 'base64url').toString('utf8').split(' '));
  if (!parts.success) throw new KaikaError('bad-request', 'this is no place to go on from');
  const [until, started, job] = parts.data;
  return { until, started, job };
}
