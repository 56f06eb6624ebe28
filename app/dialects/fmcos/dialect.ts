/** FMCOS 2.0 (docs/cards/demo-card.md) as a dialect. */
import type { AppRule, Dialect } from '../dialect.ts';
import { absorb } from './absorb.ts';
import { appKeys } from './app-keys.ts';
import { build } from './build.ts';
import { head } from './head.ts';
import { meaningSchema } from './meaning.ts';
import { reading } from './reading.ts';
import { type FmcosRule, fmcosRuleFields } from './rule.ts';

export const fmcos: Dialect = { name: 'fmcos', ruleSchema: fmcosRuleFields.transform(appRule) };

function appRule(rule: FmcosRule): AppRule {
  return {
    ...reading(rule),
    issuing: {
      keys: appKeys(rule),
      head: (work) => head(rule, work),
      build: (work, ports) => build(rule, work, ports),
      absorb: (work, meaning, fate) => absorb(rule, work, meaningSchema.parse(meaning), fate),
    },
  };
}
