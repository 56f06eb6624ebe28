/** What a station may ask for at most: so that a rogue one, or a broken one, stays a small matter. */
import { z } from 'zod';
import { LIMITS } from '../protocol/wire.ts';

const count = (most: number) => z.number().int().min(1).max(most);

/** `limits` of the configuration file; counted in the store across all instances, but for `requestsPerSecond`. */
export const limitsSchema = z.strictObject({
  /** EXTERNAL AUTHENTICATEs sent to one card in a day (UTC). */
  authenticationsPerCardDay: count(1_000_000).default(100),
  /** The same, by one station in an hour. */
  authenticationsPerStationHour: count(1_000_000).default(3_000),
  jobsPerCardDay: count(1_000_000).default(50),
  jobsPerStationHour: count(1_000_000).default(1_000),
  /** What stations send after a backup was restored; each costs a call to the HSM. */
  receiptsPerStationHour: count(1_000_000).default(5_000),
  /** Wrong secrets of one operator at one station within 15 minutes; four times as many at all stations, ten times at one. */
  signInFailures: count(1_000).default(5),
  /** Of one station, at each instance; twice as many at once. */
  requestsPerSecond: count(100_000).default(100),
  /** Cards that one station has in hand at once. */
  jobsAtOnce: count(10_000).default(16),
  bodyBytes: z.number().int().min(65_536).max(LIMITS.bodyBytes).default(LIMITS.bodyBytes),
});
export type Limits = z.infer<typeof limitsSchema>;

export const DEFAULT_LIMITS: Limits = limitsSchema.parse({});
