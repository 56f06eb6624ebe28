/** What the endpoints' handlers stand on: the rooms behind the doors, and who is let through. */
import type { Authority } from '../access/authority.ts';
import type { Callers, Who } from '../access/callers.ts';
import type { Throttle } from '../access/throttle.ts';
import type { JobContext } from '../jobs/context.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { ReadinessCheck } from '../operations/readiness.ts';
import type { OneAtATime } from './one-at-a-time.ts';

/** What a request shows of who sends it. */
interface Credentials {
  readonly fingerprint: string | undefined;
  readonly token: string | undefined;
}

export interface Service {
  readonly context: JobContext;
  readonly authority: Authority;
  readonly metrics: Metrics;
  readonly readiness: ReadinessCheck;
  /** After a restore all stations give receipts back at once, and cards at the counter need the HSM too. */
  readonly receipts: OneAtATime;
  /** The OpenAPI document. */
  readonly description: Record<string, unknown>;
  /** @throws KaikaError `server-refused-certificate`, `server-busy`, `session-expired` */
  whoAsks<May extends Who>(may: May, credentials: Credentials): Promise<Callers[May]>;
}

/** Finds out who asks, a step for each kind of caller; a station that asks too often is sent away before its session is looked for. */
export function doorkeeper(authority: Authority, throttle: Throttle): Service['whoAsks'] {
  const station = async ({ fingerprint }: Credentials) => {
    const caller = await authority.station(fingerprint);
    throttle.take(caller.station);
    return caller;
  };
  const identify: { readonly [May in Who]: (credentials: Credentials) => Promise<Callers[May]> } = {
    // TLS has seen the certificate already.
    certificate: async () => null,
    station,
    operator: async (credentials) => authority.operator(await station(credentials), credentials.token),
  };
  return (may, credentials) => identify[may](credentials);
}
