/** The dialects that the key server issues with, by name. A new dialect is one folder beside this file, and one entry here and in counter.ts. */
import { fmcos } from './fmcos/dialect.ts';
import type { DialectRegistry } from './read-rule.ts';

export const DIALECTS: DialectRegistry = [fmcos];
