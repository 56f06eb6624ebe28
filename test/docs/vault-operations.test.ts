/** The tables of the vault's operations in docs/security.md are the registry, written out. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { adminOperations } from '../../app/keyserver/vault/admin-operations.ts';
import type { Operation, Operations } from '../../app/keyserver/vault/operation.ts';
import { operationsOf, VAULT_FAMILIES } from '../../app/keyserver/vault/registry.ts';

it.each([
  ['serving process', operationsOf(VAULT_FAMILIES)],
  ['admin process', adminOperations],
] as const)('docs/security.md: operations of the %s', (process, operations) => {
  const begin = `<!-- operations of the ${process}, derived from its registry -->\n\n`;
  const [, after = ''] = text.split(begin);
  const [written] = after.split('\n\n<!-- end -->');
  // Where this fails, what was received is what the document says now; put the expected table in its place.
  expect(written).toBe(table(operations));
});

it('every operation on a master names the roles it may use', () => {
  const all: Operations = operationsOf(VAULT_FAMILIES);
  const keyless = Object.entries(all).filter(([, { request }]) => keys(request).length === 0);
  expect(keyless.map(([name]) => name)).toEqual(['status', 'seal', 'unseal']);
});

const text = readFileSync('docs/security.md', 'utf8');

const NONE = '—';

/** The members of an object, with what each schema says of itself. */
function takes({ request }: Operation): string {
  return members(request instanceof z.ZodDiscriminatedUnion ? request.options[0] : request);
}

function members(request: unknown): string {
  if (!(request instanceof z.ZodObject)) return NONE;
  const said = Object.entries(request.shape).map(([name, schema]) => {
    const description = schema instanceof z.ZodType ? schema.description : undefined;
    return description === undefined ? `\`${name}\`` : `\`${name}\`: ${description}`;
  });
  return said.join('; ');
}

/** Purposes of all masters that a request can name, wherever in it they stand. */
function keys(schema: unknown): string[] {
  if (!(schema instanceof z.ZodType)) return [];
  const own = schema.meta()?.['keys'];
  if (Array.isArray(own)) return own.map((purpose) => `\`${purpose}\``);
  if (schema instanceof z.ZodObject) return Object.values(schema.shape).flatMap(keys);
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap(keys);
  return [];
}

const cell = (list: readonly string[], between: string) =>
  list.length === 0 ? NONE : [...new Set(list)].join(between);

function rows(operations: Operations): string[] {
  return Object.entries(operations).map(([name, operation]) => {
    const { purpose, gives, refuses, request } = operation;
    const cells = [
      `\`${name}\`: ${purpose}`,
      takes(operation),
      gives,
      cell(keys(request), ', '),
      cell(refuses, '; '),
    ];
    return `| ${cells.join(' | ')} |`;
  });
}

function table(operations: Operations): string {
  const head = ['| operation | takes | gives | keys it may use | refuses besides |', '|---|---|---|---|---|'];
  return [...head, ...rows(operations)].join('\n');
}
