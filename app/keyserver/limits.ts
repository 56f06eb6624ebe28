/** What a station may ask for at most: so that a rogue one, or a broken one, stays a small matter. */
import { z } from 'zod';
import { LIMITS } from '../protocol/wire.ts';

const count = (most: number) => z.number().int().min(1).max(most);

/** `limits` of the configuration file; counted in the store across all instances, but for those that say otherwise. */
export const limitsSchema = z.strictObject({
  /**
   * EXTERNAL AUTHENTICATEs for one card in a day (UTC), by one station. By all stations together as many, of those for which the card had
   * shown in a secure channel that it was there: what a station says of a card that it may not have counts for that station alone.
   */
  authenticationsPerCardDay: count(1_000_000).default(100),
  /** The same, by one station in an hour. */
  authenticationsPerStationHour: count(1_000_000).default(3_000),
  /** On one card, by one station. */
  jobsPerCardDay: count(1_000_000).default(50),
  jobsPerStationHour: count(1_000_000).default(1_000),
  /** Jobs refused for what is on record of a card or an account, of one station and of one operator: each refusal tells something. */
  refusedJobsPerHour: count(1_000_000).default(100),
  /** Cards whose records are read, one by one or in a search, by one station and by one operator. */
  recordsPerHour: count(1_000_000).default(2_000),
  /** What stations send after a backup was restored; each costs a call to the HSM. */
  receiptsPerStationHour: count(1_000_000).default(5_000),
  /** Wrong secrets of one operator at one station in a row before there is a wait; four times as many at all stations within 15 minutes, ten times at one. */
  signInFailures: count(1_000).default(5),
  /** Of one station, at each instance; twice as many at once. */
  requestsPerSecond: count(100_000).default(100),
  /** Cards that one station has in hand at once. */
  jobsAtOnce: count(10_000).default(16),
  /** Refusals of one certificate that is not, or not any more, enrolled, and failed handshakes of one address; twice as many at once. */
  refusalsPerSecond: count(100_000).default(10),
  /** Lines that are open at once, to each instance: all of them, those of one address, and those of one certificate. */
  connections: count(100_000).default(4_096),
  connectionsPerAddress: count(100_000).default(1_024),
  connectionsPerStation: count(10_000).default(32),
  bodyBytes: z.number().int().min(65_536).max(LIMITS.bodyBytes).default(LIMITS.bodyBytes),
});
export type Limits = z.infer<typeof limitsSchema>;

export const DEFAULT_LIMITS: Limits = limitsSchema.parse({});
