/** Which apps of a card are in doubt, and how a job's channel is opened because of them. Pure. */
import { withResponseMac } from '../../globalplatform/security-level.ts';
import { type CardTypeFacts, findRule } from './app-work.ts';
import type { CardAppState } from './card-state.ts';
import type { JobOnCard } from './progress.ts';

type Facts = Pick<CardTypeFacts, 'profile'>;

/** Apps of which nobody knows whether the card has them, or of which something was said that nothing proves. */
export function doubtedApps({ job, card }: JobOnCard, facts: Facts): string[] {
  return Object.entries(card.apps).flatMap(([app, one]) =>
    findRule(facts, app) !== undefined && isDoubted(one, job.firstSeen.includes(app)) ? [app] : [],
  );
}

function isDoubted({ kept, inDoubt, state, keys }: CardAppState, firstSeen: boolean): boolean {
  if (kept !== undefined) return true;
  // Of an app at first sight nothing can be lost; a package without an instance is removed by the way, which answers for itself.
  return inDoubt && !firstSeen && !(state === 'missing' && keys === null);
}

/**
 * Security level of the job's next channel: the type's own, and with MACs on the card's answers where they can settle a doubt, or keep one from
 * coming up: a deletion without one leaves its keys on record for good. Cards whose options offer none keep their level.
 */
export function channelLevel(now: JobOnCard, facts: Facts): number {
  const domain = facts.profile.securityDomain;
  if (domain === undefined) return 0;
  const { scp, i, securityLevel } = domain;
  const deletes = Object.values(now.job.apps).some(({ action }) => action === 'delete');
  if (!deletes && doubtedApps(now, facts).length === 0) return securityLevel;
  return withResponseMac(scp, i, securityLevel) ?? securityLevel;
}
