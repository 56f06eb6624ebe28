/** FMCOS as a station knows it. */
import type { Dialect } from '../dialect.ts';
import { reading } from './reading.ts';
import { fmcosRuleFields } from './rule.ts';

export const fmcosAtTheCounter: Dialect = {
  name: 'fmcos',
  ruleSchema: fmcosRuleFields.transform((rule) => ({ ...reading(rule), issuing: undefined })),
};
