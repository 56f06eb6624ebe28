/** Who is signed in at a station. */
import { currentSessionSchema } from '../../../protocol/server-state.ts';
import { API_LEVEL, signInReplySchema, signInRequestSchema } from '../../../protocol/wire.ts';
import { type Endpoint, endpoint } from '../endpoint.ts';

export const SESSION_ENDPOINTS: readonly Endpoint[] = [
  endpoint({
    method: 'POST',
    path: '/v1/sessions',
    may: 'station',
    summary: 'an operator signs in',
    body: { schema: signInRequestSchema, bytes: 8_192 },
    reply: signInReplySchema,
    handle: ({ authority, signIns }, { caller, body }) =>
      signIns.run(caller.station, 'too many sign in at once', () => authority.signIn(caller, body)),
  }),
  endpoint({
    method: 'GET',
    path: '/v1/sessions/current',
    may: 'station',
    summary: 'who is signed in with this token',
    reply: currentSessionSchema,
    async handle({ authority }, { caller, token }) {
      const session = await authority.session(caller, token);
      if (session === undefined) return { apiLevel: API_LEVEL, session: null };
      const { operator, expires } = session;
      return { apiLevel: API_LEVEL, session: { operator, expires } };
    },
  }),
];
