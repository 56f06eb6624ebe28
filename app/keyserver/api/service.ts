/** What the endpoints' handlers stand on: the rooms behind the doors, and who is let through. */
import type { Authority } from '../access/authority.ts';
import type { Callers, Who } from '../access/callers.ts';
import { byRight } from '../access/rights.ts';
import type { JobContext } from '../jobs/context.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { ReadinessCheck } from '../operations/readiness.ts';
import type { FairTurns } from './fair-turns.ts';

/** What a request shows of who sends it, before anything else of it is looked at. */
export interface Credentials {
  /** SHA-256 of the client certificate, upper-case hexadecimal. */
  readonly fingerprint: string | undefined;
  /** What stood behind `Bearer`. */
  readonly token: string | undefined;
}

export interface Service {
  readonly context: JobContext;
  readonly authority: Authority;
  readonly metrics: Metrics;
  readonly readiness: ReadinessCheck;
  /** After a restore all stations give receipts back at once, and cards at the counter need the HSM too. */
  readonly receipts: FairTurns;
  /** Each costs a hash that is made to be slow. */
  readonly signIns: FairTurns;
  /** The OpenAPI document. */
  readonly description: Record<string, unknown>;
  /** @throws KaikaError `server-refused-certificate`, `session-expired`, `not-permitted` */
  whoAsks<May extends Who>(may: May, credentials: Credentials): Promise<Callers[May]>;
}

/** Finds out who asks, a step for each kind of caller. */
export function doorkeeper(authority: Authority): Service['whoAsks'] {
  const identify: { readonly [May in Who]: (credentials: Credentials) => Promise<Callers[May]> } = {
    // TLS has seen the certificate already.
    certificate: async () => null,
    station: ({ fingerprint }) => authority.station(fingerprint),
    ...byRight((right) => async ({ fingerprint, token }: Credentials) => {
      const station = await authority.station(fingerprint);
      return authority.operator(station, token, right);
    }),
  };
  return (may, credentials) => identify[may](credentials);
}
