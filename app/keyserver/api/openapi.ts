/** The OpenAPI 3.1 document of the wire, made from the schemas that requests are checked with. */
import { z } from 'zod';
import { errorBodySchema } from '../../protocol/errors.ts';
import { receiptsReplySchema, receiptsRequestSchema } from '../../protocol/receipts.ts';
import { cardPageSchema, cardSearchSchema, cursorSchema } from '../../protocol/search.ts';
import {
  API_LEVEL,
  answersRequestSchema,
  cardRecordSchema,
  jobReplySchema,
  jobRequestSchema,
  signInReplySchema,
  signInRequestSchema,
  stepReplySchema,
} from '../../protocol/wire.ts';

export const healthSchema = z.strictObject({ apiLevel: z.literal(API_LEVEL), status: z.literal('ok') });
export const readinessSchema = z.strictObject({
  apiLevel: z.literal(API_LEVEL),
  ready: z.boolean(),
  store: z.boolean(),
  hsm: z.boolean(),
  stopping: z.boolean(),
});

/** Which of a card's jobs: those before a place that an earlier answer named. */
export const recordQuerySchema = z.strictObject({ before: cursorSchema.optional() });

interface Operation {
  readonly summary: string;
  readonly request?: z.ZodType;
  /** Members are the query's parameters. */
  readonly query?: z.ZodObject;
  readonly reply: z.ZodType;
  /** The body of a 503, where it is no error's. */
  readonly unready?: z.ZodType;
  /** An operator's session is asked for. */
  readonly operator: boolean;
}

/** Every request of the wire: method and path as in docs/api.md. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'GET /v1/health': { summary: 'Is the server there', reply: healthSchema, operator: false },
  'GET /v1/ready': {
    summary: 'Can it serve now; 503 when not',
    reply: readinessSchema,
    unready: readinessSchema,
    operator: false,
  },
  'GET /v1/openapi.json': { summary: 'This document', reply: z.looseObject({}), operator: false },
  'POST /v1/sessions': {
    summary: 'An operator signs in',
    request: signInRequestSchema,
    reply: signInReplySchema,
    operator: false,
  },
  'POST /v1/jobs': {
    summary: 'Begin a job',
    request: jobRequestSchema,
    reply: jobReplySchema,
    operator: true,
  },
  'POST /v1/jobs/{job}/answers/{seq}': {
    summary: 'Report on a batch, get the next',
    request: answersRequestSchema,
    reply: stepReplySchema,
    operator: false,
  },
  'POST /v1/receipts': {
    summary: 'Give back what was told before the store was restored from a backup',
    request: receiptsRequestSchema,
    reply: receiptsReplySchema,
    operator: false,
  },
  'GET /v1/cards': {
    summary: 'Find cards by number, account, operator and time',
    query: cardSearchSchema,
    reply: cardPageSchema,
    operator: true,
  },
  'GET /v1/cards/{card}': {
    summary: 'What is on record of a card',
    query: recordQuerySchema,
    reply: cardRecordSchema,
    operator: true,
  },
};

/** The document. Rules that JSON Schema cannot say (refinements) are left out of it. */
export function openApiDocument(): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = name.split(' ');
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(path, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Kaika key server',
      version: String(API_LEVEL),
      description: 'TLS 1.3 with a client certificate of an enrolled station. See docs/api.md.',
    },
    paths,
    components: { securitySchemes: { operator: { type: 'http', scheme: 'bearer' } } },
  };
}

function describe(path: string, operation: Operation): Record<string, unknown> {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: name === 'seq' ? 'integer' : 'string' },
  }));
  const inQuery = Object.entries(operation.query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: plain(schema),
  }));
  const parameters = [...inPath, ...inQuery];
  return {
    summary: operation.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.request === undefined
      ? {}
      : { requestBody: { required: true, content: json(operation.request) } }),
    responses: {
      200: { description: 'Taken', content: json(operation.reply) },
      ...(operation.unready === undefined
        ? {}
        : { 503: { description: 'Not now', content: json(operation.unready) } }),
      default: { description: 'Refused', content: json(errorBodySchema) },
    },
    ...(operation.operator ? { security: [{ operator: [] }] } : {}),
  };
}

function json(schema: z.ZodType): Record<string, unknown> {
  return { 'application/json': { schema: plain(schema) } };
}

function plain(schema: z.core.$ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
