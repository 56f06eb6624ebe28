/** An endpoint is one value; the HTTP server, the OpenAPI document, the table in docs/api.md and the tests of who may ask are made from it. */
import { z } from 'zod';
import { KaikaError } from '../../protocol/errors.ts';
import { API_LEVEL } from '../../protocol/wire.ts';
import type { Callers, Who } from '../access/callers.ts';
import type { Credentials, Service } from './service.ts';

/** What a request asks, as HTTP brought it. Nothing of it has been checked. */
export interface RawParts {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** A request whose sender is known and whose parts follow their schemas. Parts without a schema are undefined. */
interface Asked<May extends Who, Params, Query, Body> {
  readonly caller: Callers[May];
  readonly token: string | undefined;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
}

interface Definition<May extends Who, Params, Query, Body, Reply> {
  readonly method: 'GET' | 'POST';
  /** With parameters in braces: `/v1/cards/{card}`. */
  readonly path: string;
  readonly may: May;
  /** What for, in a line. */
  readonly summary: string;
  readonly params?: z.ZodObject & z.ZodType<Params>;
  readonly query?: z.ZodObject & z.ZodType<Query>;
  /** With the most bytes that a body of this schema can have, in words of the wire's limits. More is not read. */
  readonly body?: { readonly schema: z.ZodType<Body>; readonly bytes: number };
  readonly reply: z.ZodType<Reply>;
  /** The answer is given with status 503 when this holds of it. */
  readonly unready?: (reply: Reply) => boolean;
  /** What is said of a body that does not follow its schema, where that is more than "bad request". */
  readonly refusal?: (error: z.ZodError) => KaikaError | undefined;
  readonly handle: (service: Service, asked: Asked<May, Params, Query, Body>) => Promise<Reply> | Reply;
}

/** An endpoint whose types are settled: what everything derived from the table goes by. */
export interface Endpoint {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly may: Who;
  readonly summary: string;
  readonly params: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  /** Bytes of a body at most; 0 where none is asked for. */
  readonly bodyBytes: number;
  readonly reply: z.ZodType;
  readonly mayBeUnready: boolean;
  /**
   * First who asks, and only then what: of a stranger's request nothing is read.
   * @throws KaikaError `server-refused-certificate`, `session-expired`, `not-permitted`; errors of the store as they are
   */
  readonly enter: (service: Service, credentials: Credentials) => Promise<Entered>;
}

/**
 * Answers a request of somebody who was let in.
 * @throws KaikaError, `bad-request` for what does not follow its schema; VaultError and errors of the store as they are
 */
export type Entered = (request: RawParts) => Promise<{ status: 200 | 503; reply: unknown }>;

export function endpoint<May extends Who, Reply, Params = undefined, Query = undefined, Body = undefined>(
  definition: Definition<May, Params, Query, Body, Reply>,
): Endpoint {
  const { method, path, may, summary, params, query, body, reply, unready, refusal, handle } = definition;
  return {
    method,
    path,
    may,
    summary,
    params,
    query,
    body: body?.schema,
    bodyBytes: body?.bytes ?? 0,
    reply,
    mayBeUnready: unready !== undefined,
    async enter(service, credentials) {
      const caller = await service.whoAsks(may, credentials);
      return async (request) => {
        const asked = {
          caller,
          token: credentials.token,
          params: read(params, request.params),
          query: read(query, request.query),
          body: readBody(body?.schema, request.body, refusal),
        };
        const answered = await handle(service, asked);
        return { status: unready?.(answered) === true ? 503 : 200, reply: answered };
      };
    },
  };
}

/** A part of a request by its schema. Where there is none its type is undefined, by `endpoint`'s defaults. @throws KaikaError `bad-request` */
function read<T>(schema: z.ZodType<T> | undefined, value: unknown): T {
  if (schema === undefined) return undefined as T;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw malformed(parsed.error);
}

/** @throws KaikaError `api-level-unsupported` before anything else is looked at, and what `refusal` makes of it; `bad-request` */
function readBody<T>(
  schema: z.ZodType<T> | undefined,
  body: unknown,
  refusal: ((error: z.ZodError) => KaikaError | undefined) | undefined,
): T {
  if (schema === undefined) return undefined as T;
  const level = z.looseObject({ apiLevel: z.number() }).safeParse(body);
  if (level.success && level.data.apiLevel !== API_LEVEL) {
    throw new KaikaError('api-level-unsupported', `this server speaks API level ${API_LEVEL}`, {
      server: API_LEVEL,
    });
  }
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw refusal?.(parsed.error) ?? malformed(parsed.error);
}

/** Where a part does not follow its schema, without repeating what stood there. */
function malformed(error: z.ZodError): KaikaError {
  const issue = error.issues[0];
  return new KaikaError('bad-request', `${issue?.path.join('.') || 'body'}: ${issue?.code ?? 'invalid'}`);
}
