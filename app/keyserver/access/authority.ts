/** Who is this, and may they? Everything that asks so asks here; the store's tables of stations and people are not looked at from elsewhere. */
import { KaikaError } from '../../protocol/errors.ts';
import type { SignInReply, SignInRequest } from '../../protocol/wire.ts';
import type { Limits } from '../limits.ts';
import type { Store } from '../store/open.ts';
import { findStation } from '../store/stations.ts';
import type { OperatorCaller, StationCaller } from './callers.ts';
import { findSession, type Session, signIn } from './sessions.ts';

/** What the authority stands on. */
interface AuthorityGround {
  readonly store: Store;
  readonly now: () => Date;
  readonly limits: Limits;
}

export class Authority {
  readonly #ground: AuthorityGround;

  constructor(ground: AuthorityGround) {
    this.#ground = ground;
  }

  /**
   * Which station has this client certificate? `fingerprint`: its SHA-256, upper-case hexadecimal.
   * @throws KaikaError `server-refused-certificate` for one that is not enrolled, or not any more
   */
  async station(fingerprint: string | undefined): Promise<StationCaller> {
    const station =
      fingerprint === undefined ? undefined : await findStation(this.#ground.store, fingerprint);
    if (station === undefined || station.revoked)
      throw new KaikaError('server-refused-certificate', 'this certificate is not an enrolled station');
    return { station: station.name };
  }

  /** Who works at this station with this token? @throws KaikaError `session-expired` when nobody does */
  async operator(caller: StationCaller, token: string | undefined): Promise<OperatorCaller> {
    const session = await this.session(caller, token);
    if (session === undefined) throw new KaikaError('session-expired', 'sign in first');
    return { station: caller.station, operator: session.operator.id };
  }

  /** The running session of this token at this station; undefined for none, for another station's and for a confirmation. */
  async session({ station }: StationCaller, token: string | undefined): Promise<Session | undefined> {
    const { store, now } = this.#ground;
    const session = token === undefined ? undefined : await findSession(store, token, now());
    return session?.station === station ? session : undefined;
  }

  /** May this token confirm what `caller` asks for? It must be somebody else's, given for a confirmation at the same station. */
  async isSecondPerson(caller: OperatorCaller, token: string): Promise<boolean> {
    const { store, now } = this.#ground;
    const session = await findSession(store, token, now(), 'confirmation');
    return (
      session !== undefined && session.operator.id !== caller.operator && session.station === caller.station
    );
  }

  /** Gives a token for name and secret. @throws KaikaError `sign-in-failed`, `too-many-attempts` */
  signIn({ station }: StationCaller, request: SignInRequest): Promise<SignInReply> {
    const { store, now, limits } = this.#ground;
    return signIn(store, station, request, now(), limits);
  }
}
