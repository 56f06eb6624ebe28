/**
 * Who is this, and may they? What comes over the wire asks so here, commands at the server's terminal ask terminal.ts and two-people.ts; both go by
 * the table in rights.ts. No other folder asks the store's tables of stations and people.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { CardSearch } from '../../protocol/search.ts';
import type { SignInReply, SignInRequest } from '../../protocol/wire.ts';
import type { Limits } from '../limits.ts';
import type { Store } from '../store/open.ts';
import { findStation } from '../store/stations.ts';
import type { OperatorCaller, StationCaller } from './callers.ts';
import { type Confirmation, findConfirmation } from './confirmations.ts';
import { auditSearch, noteReading, noteSearch } from './reading.ts';
import { hasRight, type Right } from './rights.ts';
import { findSession, isOfBranch, type Session, signIn } from './sessions.ts';

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
    const { name, branch } = station;
    return { station: name, ...(branch === null ? {} : { branch }) };
  }

  /**
   * Who works at this station with this token, and may they?
   * @throws KaikaError `session-expired` when nobody does; `not-permitted` for a role without the right
   */
  async operator(caller: StationCaller, token: string | undefined, right: Right): Promise<OperatorCaller> {
    const session = await this.session(caller, token);
    if (session === undefined) throw new KaikaError('session-expired', 'sign in first');
    if (!hasRight(session.role, right))
      throw new KaikaError('not-permitted', `a ${session.role} may not do this`);
    return { ...caller, operator: session.operator.id };
  }

  /** The running session of this token at this station; undefined for none, for another station's and for a confirmation. */
  async session(caller: StationCaller, token: string | undefined): Promise<Session | undefined> {
    const { store, now } = this.#ground;
    const session = token === undefined ? undefined : await findSession(store, token, now());
    // At a station that was moved meanwhile nobody of its former branch is signed in any more.
    return session?.station === caller.station && isOfBranch(session.branch, caller) ? session : undefined;
  }

  /** What a second person confirmed with this token; undefined for none that is good for `caller`. */
  confirmation(caller: OperatorCaller, token: string): Promise<Confirmation | undefined> {
    const { store, now } = this.#ground;
    return findConfirmation(store, caller, token, now());
  }

  /** Notes that the record of a card is read. @throws KaikaError `too-many-attempts` */
  noteReading(caller: OperatorCaller, card: string): Promise<void> {
    return noteReading(this.#ground, caller, card);
  }

  /**
   * Has a page of a search read and notes it, before and after: what was not noted is not told. `most`: cards that it may tell of.
   * @throws KaikaError `too-many-attempts`, and what `read` throws
   */
  async searching<Page extends { readonly cards: readonly unknown[] }>(
    caller: OperatorCaller,
    search: CardSearch,
    most: number,
    read: () => Promise<Page>,
  ): Promise<Page> {
    await noteSearch(this.#ground, caller, most);
    const page = await read();
    await auditSearch(this.#ground, caller, search, page.cards.length);
    return page;
  }

  /** Gives a token for name and secret. @throws KaikaError as `signIn` */
  signIn(caller: StationCaller, request: SignInRequest): Promise<SignInReply> {
    const { store, now, limits } = this.#ground;
    return signIn(store, caller, request, now(), limits);
  }
}
