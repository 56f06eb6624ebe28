/** FMCOS 2.0 (docs/cards/demo-card.md) as a dialect. */
import { fromHex } from '../../card/bytes.ts';
import type { Opening } from '../../protocol/wire.ts';
import type { AppRule, Dialect } from '../dialect.ts';
import { absorb } from './absorb.ts';
import { appKeys } from './app-keys.ts';
import { build } from './build.ts';
import { getBalance, getChallenge, parseBalance, readBinary } from './commands.ts';
import { head } from './head.ts';
import { meaningSchema } from './meaning.ts';
import { ENABLED_FLAG_OFFSET, readEnabledFlag } from './public-file.ts';
import { type FmcosRule, fmcosRuleFields } from './rule.ts';

/** Commands of an enabling that need a fresh challenge each: authenticate, two key writes, the enabled flag. */
const CHALLENGES = 4;

/** SELECT's answers 6283 (ISO/IEC 7816-4) and 9303: the app is there, and blocked. */
const BLOCKED = [0x6283, 0x9303];

export const fmcos: Dialect = { name: 'fmcos', ruleSchema: fmcosRuleFields.transform(appRule) };

function appRule(rule: FmcosRule): AppRule {
  const { shortFileId, length } = rule.publicFile;
  return {
    dialect: rule.dialect,
    look: {
      command: readBinary(shortFileId, 0, length),
      isEnabled: (data) => readEnabledFlag(data, ENABLED_FLAG_OFFSET) === true,
      blocked: BLOCKED,
    },
    balance: { command: getBalance(), empty: new Uint8Array(4), amount: parseBalance },
    plan: {
      enable: CHALLENGES,
      // One for the authentication, one for each key write.
      renew: (writes) => 1 + writes,
      opening: getChallenge(),
      takeOpening,
    },
    keys: appKeys(rule),
    head: (work) => head(rule, work),
    build: (work, ports) => build(rule, work, ports),
    absorb: (work, meaning, fate) => absorb(rule, work, meaningSchema.parse(meaning), fate),
  };
}

/** The challenge, when the card gave 4 bytes. */
function takeOpening(opening: Opening) {
  const challenge = fromHex(opening.challenge);
  const accepted =
    opening.select.endsWith('9000') && opening.challenge.endsWith('9000') && challenge.length === 6;
  return accepted ? { challenge: opening.challenge.slice(0, -4) } : undefined;
}
