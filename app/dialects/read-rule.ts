/** Reading an app's rule with the dialect that it names. */
import { z } from 'zod';
import type { AppRule, Dialect } from './dialect.ts';

/** The dialects there are. A value: whoever reads a catalogue is given one, and tests give one with more in it. */
export type DialectRegistry = readonly Dialect[];

/** Reads an app's rule with the schema of the dialect that it names. Faults are told with their path, as everywhere in a profile. */
export function appRuleSchema(dialects: DialectRegistry): z.ZodType<AppRule> {
  const names = dialects.map(({ name }) => name);
  return z.looseObject({ dialect: z.enum(names) }).transform((rule, context) => {
    const read = dialects.find(({ name }) => name === rule.dialect)?.ruleSchema.safeParse(rule);
    if (read?.success === true) return read.data;
    for (const { message, path } of read?.error.issues ?? [])
      context.issues.push({ code: 'custom', message, path, input: rule });
    return z.NEVER;
  });
}
