/** Every endpoint of the wire. One more is added to a list here, and is then served, described and tested. */
import type { Endpoint } from './endpoint.ts';
import { CARD_ENDPOINTS } from './endpoints/cards.ts';
import { JOB_ENDPOINTS } from './endpoints/jobs.ts';
import { SERVER_ENDPOINTS } from './endpoints/server.ts';
import { SESSION_ENDPOINTS } from './endpoints/sessions.ts';

export const ENDPOINTS: readonly Endpoint[] = [
  ...SERVER_ENDPOINTS,
  ...SESSION_ENDPOINTS,
  ...JOB_ENDPOINTS,
  ...CARD_ENDPOINTS,
];
