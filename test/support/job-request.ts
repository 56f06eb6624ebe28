/** A request for a job such as a station writes down, on the card of scripted-card.ts: every time with an id of its own. */
import { randomUUID } from 'node:crypto';
import type { JobRequest } from '../../app/protocol/wire.ts';

export const newJobRequest = (): JobRequest => ({
  apiLevel: 1,
  requestId: randomUUID(),
  reader: 'A',
  cardEpoch: 0,
  card: {
    atr: '3B85014B41494B41CD',
    cin: '45086200000000000001',
    cardData: '660F730D640B06092A864886FC6B040370',
  },
  observed: [{ app: 'e-wallet', state: 'installed' }],
  account: '62220000',
  wishes: [{ app: 'e-wallet', action: 'enable' }],
  opening: { app: 'e-wallet', select: '9000', challenge: 'A1B2C3D49000' },
});
