/** Every answer that a test gets is held against the OpenAPI document: whoever builds on the document meets nothing else. */
import { z } from 'zod';
import { ENDPOINTS } from '../../app/keyserver/api/endpoints.ts';
import { openApiDocument } from '../../app/keyserver/api/openapi.ts';

const contentSchema = z.looseObject({
  'application/json': z.object({ schema: z.record(z.string(), z.unknown()) }),
});
const documentSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(z.string(), z.object({ responses: z.record(z.string(), z.object({ content: contentSchema })) })),
  ),
});

interface Described {
  readonly method: string;
  readonly path: RegExp;
  /** By status; `default` for all others. */
  readonly answers: ReadonlyMap<string, z.ZodType>;
}

const DESCRIBED: readonly Described[] = Object.entries(
  documentSchema.parse(openApiDocument(ENDPOINTS)).paths,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { responses }]) => ({
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`),
    answers: new Map(
      Object.entries(responses).map(([status, { content }]) => [
        status,
        z.fromJSONSchema(content['application/json'].schema),
      ]),
    ),
  })),
);

/** What any refusal looks like, also where there is no route. */
const REFUSAL = DESCRIBED[0]?.answers.get('default');

/** @throws Error when the answer is not one that the document describes. */
export function checkDescribed(method: string, path: string, status: number, body: unknown): void {
  const plain = path.split('?')[0] ?? '';
  const route = DESCRIBED.find((one) => one.method === method && one.path.test(plain));
  const schema = route?.answers.get(String(status)) ?? route?.answers.get('default') ?? REFUSAL;
  const found = schema?.safeParse(body);
  if (found?.success === true) return;
  const issue = found?.error.issues[0];
  throw new Error(
    `${method} ${plain} answered ${status} in a way that its description does not have: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}
