/** Values that follow a JSON schema, for the fuzzer: what OpenAPI says a message may be, in all its corners. */
import fc from 'fast-check';
import { z } from 'zod';

type Schema = Readonly<Record<string, unknown>>;

const schemaOf = (value: unknown): Schema => z.record(z.string(), z.unknown()).parse(value);
const numberOf = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);
/** Lists and texts stay short, or nothing but length would be tried. */
const SHORT = 6;

/** @throws Error for a keyword that it does not know: a fuzzer that leaves something out must say so. */
export function valuesOf(given: unknown): fc.Arbitrary<unknown> {
  const schema = schemaOf(given);
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return fc.oneof(...choices.map(valuesOf));
  if (Array.isArray(schema['allOf'])) return valuesOf(Object.assign({}, ...schema['allOf'].map(schemaOf)));
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  switch (schema['type']) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({
        min: Math.max(numberOf(schema['minimum'], -(2 ** 31)), -(2 ** 31)),
        max: Math.min(numberOf(schema['maximum'], 2 ** 31 - 1), 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({ noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const min = numberOf(schema['minItems'], 0);
      const max = Math.min(numberOf(schema['maxItems'], SHORT), min + SHORT);
      return fc.array(valuesOf(schema['items'] ?? {}), { minLength: min, maxLength: max });
    }
    case 'object':
      return objectOf(schema);
    case undefined:
      return fc.jsonValue();
    default:
      throw new Error(`a schema of type ${String(schema['type'])}`);
  }
}

function objectOf(schema: Schema): fc.Arbitrary<unknown> {
  const properties = schemaOf(schema['properties'] ?? {});
  const required = z.array(z.string()).parse(schema['required'] ?? []);
  const names = Object.keys(properties);
  if (names.length > 0) {
    const members = Object.fromEntries(names.map((name) => [name, valuesOf(properties[name])]));
    return fc.record(members, { requiredKeys: required });
  }
  const keys = schema['propertyNames'] === undefined ? fc.string() : valuesOf(schema['propertyNames']);
  const values = valuesOf(schema['additionalProperties'] ?? {});
  return fc.dictionary(keys.map(String), values, { maxKeys: 3 });
}

function textOf(schema: Schema): fc.Arbitrary<string> {
  const min = numberOf(schema['minLength'], 0);
  const max = numberOf(schema['maxLength'], min + 40);
  switch (schema['format']) {
    case 'uuid':
      return fc.uuid();
    case 'date-time':
      return fc
        .date({ noInvalidDate: true, min: new Date(0), max: new Date('2100-01-01') })
        .map((at) => at.toISOString());
  }
  const pattern = schema['pattern'];
  if (typeof pattern === 'string')
    return fc.stringMatching(new RegExp(pattern)).map((text) => text.slice(0, max - (max % 2)));
  return fc.string({ minLength: min, maxLength: Math.min(max, min + 40), unit: 'grapheme' });
}
