/**
 * How firmly a job holds the account that it was asked for. What a station asks costs it nothing, so asking binds no card: an account is kept
 * for the card while something may come of the job, and is the card's once something has. Pure.
 */
import { z } from 'zod';

/**
 * `none`: nothing that changes the card left yet. `begun`: something did. `written`: the card may hold a key of the account, and two cards must
 * not have the same keys. `bound`: it holds one, or a wish was fulfilled, or an answer proved itself.
 */
export const gripSchema = z.enum(['none', 'begun', 'written', 'bound']);
export type Grip = z.infer<typeof gripSchema>;

const ORDER: readonly Grip[] = gripSchema.options;

const isMore = (one: Grip, than: Grip) => ORDER.indexOf(one) > ORDER.indexOf(than);

export function stronger(one: Grip, other: Grip): Grip {
  return isMore(one, other) ? one : other;
}

/**
 * What has to be secured now, of what a step wants and what the job `has`; `none` where that is enough. A beginning is kept for minutes only,
 * so it is secured again.
 */
export function toSecure(has: Grip, wants: Grip): Grip {
  return isMore(wants, has) || (wants === 'begun' && has === 'begun') ? wants : 'none';
}
