/** A request for a job such as a station writes down: every time with an id of its own. */
import { randomUUID } from 'node:crypto';
import type { JobRequest } from '../../app/protocol/wire.ts';

export const newJobRequest = (): JobRequest => ({
  apiLevel: 1,
  requestId: randomUUID(),
  reader: 'A',
  cardEpoch: 0,
  card: { atr: '3B00' },
  observed: [],
  account: '62220000',
  wishes: [{ app: 'e-wallet', action: 'enable' }],
});
