/** How work on an FMCOS app begins: SELECT and a challenge. */
import type { AppCommand, AppGlance } from '../dialect.ts';
import { isCertainly } from '../key-slots.ts';
import { slotOf } from '../keys.ts';
import { getChallenge, readBinary, selectApplication } from './commands.ts';
import { type FmcosMeaning, notesSchema } from './meaning.ts';
import { ENABLED_FLAG_OFFSET } from './public-file.ts';
import { MCK, MTK } from './roles.ts';
import type { FmcosRule } from './rule.ts';

/** An FMCOS command with its meaning. */
export type FmcosCommand = AppCommand & { readonly meaning: FmcosMeaning };

/** In between the flag is read, where everything before it may be done already. */
export function head(rule: FmcosRule, work: AppGlance): readonly FmcosCommand[] {
  const select: FmcosCommand = {
    name: 'select-app',
    command: selectApplication(work.instanceAid),
    meaning: { kind: 'select-app' },
  };
  if (work.goal === 'renew') return [select, challenge()];
  const doubtful =
    work.flagInDoubt || (keysAreDone(work) && notesSchema.parse(work.notes).flagRead === undefined);
  return [select, ...(doubtful ? [readFlag(rule)] : []), challenge()];
}

/** GET CHALLENGE of 4 bytes: docs/security.md says why never 8. */
export function challenge(): FmcosCommand {
  return { name: 'challenge', command: getChallenge(), meaning: { kind: 'challenge' } };
}

function readFlag({ publicFile }: FmcosRule): FmcosCommand {
  const command = readBinary(publicFile.shortFileId, ENABLED_FLAG_OFFSET, 1);
  return { name: 'read-state', command, meaning: { kind: 'read-flag' } };
}

function keysAreDone({ keys, targets }: AppGlance): boolean {
  return (
    keys !== null &&
    [MCK, MTK].every((role) => {
      const target = targets[role];
      return target !== undefined && isCertainly(slotOf(keys, role), target);
    })
  );
}
