/** About the server itself: for balancers, and for whoever builds on the wire. */
import { z } from 'zod';
import { healthSchema, readinessSchema } from '../../../protocol/server-state.ts';
import { API_LEVEL } from '../../../protocol/wire.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';

export const SERVER_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'GET',
    path: '/v1/health',
    may: 'certificate',
    summary: 'is the server there',
    reply: healthSchema,
    handle: () => ({ apiLevel: API_LEVEL, status: 'ok' }),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/ready',
    may: 'certificate',
    summary: 'can it serve now; 503 when not',
    reply: readinessSchema,
    unready: ({ ready }) => !ready,
    async handle({ readiness }): Promise<z.infer<typeof readinessSchema>> {
      return { apiLevel: API_LEVEL, ...(await readiness.check()) };
    },
  }),
  endpoint({
    method: 'GET',
    path: '/v1/openapi.json',
    may: 'certificate',
    summary: 'this interface as an OpenAPI document',
    reply: z.looseObject({}),
    handle: ({ description }) => description,
  }),
];
