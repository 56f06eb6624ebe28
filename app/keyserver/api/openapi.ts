/** The OpenAPI 3.1 document of the wire, made from the table of endpoints. */
import { z } from 'zod';
import { errorBodySchema } from '../../protocol/errors.ts';
import { API_LEVEL } from '../../protocol/wire.ts';
import type { Endpoint } from './endpoint.ts';

/** The document. Rules that JSON Schema cannot say (refinements) are left out of it. */
export function openApiDocument(endpoints: readonly Endpoint[]): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const one of endpoints)
    paths[one.path] = { ...paths[one.path], [one.method.toLowerCase()]: describe(one) };
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

function describe(one: Endpoint): Record<string, unknown> {
  const parameters = [...parametersOf(one.params, 'path'), ...parametersOf(one.query, 'query')];
  return {
    summary: one.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(one.body === undefined ? {} : { requestBody: { required: true, content: json(one.body) } }),
    responses: {
      200: { description: 'Taken', content: json(one.reply) },
      ...(one.mayBeUnready ? { 503: { description: 'Not now', content: json(one.reply) } } : {}),
      default: { description: 'Refused', content: json(errorBodySchema) },
    },
    ...(one.may !== 'certificate' && one.may !== 'station' ? { security: [{ operator: [] }] } : {}),
  };
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query') {
  return Object.entries(schema?.shape ?? {}).map(([name, one]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: plain(one),
  }));
}

function json(schema: z.ZodType): Record<string, unknown> {
  return { 'application/json': { schema: plain(schema) } };
}

function plain(schema: z.core.$ZodType): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
