/**
 * Lantern, a dialect that exists only in tests: one key instead of two, other status words, 8-byte randoms, everything in one batch. What it
 * takes to add a dialect is in this folder and in two registrations: `DIALECTS_WITH_LANTERN` and the vault's families in vault-families.ts.
 */
import { fromHex } from '../../../app/card/bytes.ts';
import type { AppRule, Dialect } from '../../../app/dialects/dialect.ts';
import { settled } from '../../../app/dialects/key-slots.ts';
import { allCurrent, factorOf } from '../../../app/dialects/keys.ts';
import { DIALECTS } from '../../../app/dialects/registry.ts';
import { absorb } from './absorb.ts';
import { build, head, RANDOM, STATE } from './build.ts';
import { kindsOf } from './guard.ts';
import { DOOR, type LanternRule, meaningSchema, ruleFields } from './rule.ts';

const lantern: Dialect = { name: 'lantern', ruleSchema: ruleFields.transform(appRule) };

export const DIALECTS_WITH_LANTERN = [...DIALECTS, lantern];

function appRule(rule: LanternRule): AppRule {
  const { version, factor } = rule.delivered;
  return {
    dialect: rule.dialect,
    look: { command: STATE, isEnabled: (data) => data[0] === 1, blocked: [] },
    balance: null,
    plan: {
      enable: 1,
      renew: () => 1,
      opening: RANDOM,
      takeOpening: ({ select, challenge }) =>
        select.endsWith('9000') && challenge.endsWith('9000') && fromHex(challenge).length === 10
          ? { random: challenge.slice(0, -4) }
          : undefined,
    },
    kindOf: kindsOf(rule),
    issuing: {
      keys: {
        roles: [DOOR],
        issuedBy: DOOR,
        tries: () => rule.tries,
        transport: (codes) => ({
          [DOOR]: settled({ origin: 'factory', version, factor: factorOf(codes[factor]) }),
        }),
        transportRule: () => rule.delivered,
        records: () => [],
        writesToRenew: (keys, targets) => (allCurrent(keys, targets) ? 0 : 1),
        rewritten: [],
      },
      head,
      build: (work, ports) => build(rule, work, ports),
      absorb: (work, meaning, fate) => absorb(rule, work, meaningSchema.parse(meaning), fate),
    },
  };
}
