/** What a job wants of its account, read off what is known of job and card. Pure. */
import { certainKey } from '../../dialects/key-slots.ts';
import { isOfAccount } from '../../dialects/keys.ts';
import type { Grip } from './account-grip.ts';
import type { CardState } from './card-state.ts';
import type { JobOnCard } from './progress.ts';
import type { AppProgress, JobState } from './state.ts';

interface GripStep {
  /** The next batch changes the card. */
  readonly effect: boolean;
  /** An answer to the last one had its R-MAC. */
  readonly proven: boolean;
  /** The card has shown in this job that it is there, or cards of its type cannot. */
  readonly shown: boolean;
}

/** What job and card want once the next batch is out. A card that did not show itself may be nobody's: its account is kept for minutes. */
export function gripOf(now: JobOnCard, step: GripStep): Grip {
  const wants = wantedBy(now, step);
  return step.shown || wants === 'none' ? wants : 'begun';
}

function wantedBy({ job, card }: JobOnCard, { effect, proven }: GripStep): Grip {
  if (proven || Object.values(job.apps).some(isFulfilled) || hasKeysOf(card, job.accountFactor))
    return 'bound';
  // The domain's keys may be diversified with the account as well.
  if (mayHaveKeysOf(card, job.accountFactor) || job.domainTouched || job.domainMoves > 0) return 'written';
  return effect ? 'begun' : 'none';
}

/** Whether the card may hold keys of the account with this factor, in any slot. */
export function mayHaveKeysOf({ apps }: CardState, factor: string): boolean {
  return Object.values(apps).some(({ keys }) =>
    Object.values(keys ?? {}).some(({ candidates }) =>
      candidates.some((key) => key.origin === 'issuer' && isOfAccount(key, factor)),
    ),
  );
}

/** An app of the card has the account's keys, and no others. */
function hasKeysOf({ apps }: CardState, factor: string): boolean {
  return Object.values(apps).some(({ keys }) => {
    const slots = Object.values(keys ?? {});
    return (
      slots.length > 0 &&
      slots.every((slot) => {
        const key = certainKey(slot);
        return key?.origin === 'issuer' && isOfAccount(key, factor);
      })
    );
  });
}

function isFulfilled({ action, after, error, touched, contentInDoubt }: AppProgress): boolean {
  if (!touched || error !== null || contentInDoubt) return false;
  return after === (action === 'delete' ? 'missing' : 'enabled');
}

/** The account is only named for the job's card: it has not shown itself, and nobody but a station says that there is such a card. */
export function isNamedOnly({ held, grip }: JobState): boolean {
  return !held && grip === 'begun';
}
