/** The dialects as a station knows them: how apps are read, nothing that builds key commands. */
import { fmcosAtTheCounter } from './fmcos/counter.ts';
import type { DialectRegistry } from './read-rule.ts';

export const COUNTER_DIALECTS: DialectRegistry = [fmcosAtTheCounter];
