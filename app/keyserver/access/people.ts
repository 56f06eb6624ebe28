/** Letting people in and out, and what they may. Everything leaves a row in the audit log: who did it to whom, and why. */
import { randomInt } from 'node:crypto';
import { KaikaError } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/roles.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Store } from '../store/open.ts';
import {
  changeOperator,
  endSessionsOf,
  findOperator,
  holdPeople,
  insertOperator,
  listOperators,
  type Person,
} from '../store/people.ts';
import type { Queries } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import { type Mandate, requireMandate, told } from './mandate.ts';
import { hasRight } from './rights.ts';
import { hashSecret } from './secrets.ts';
import { forgetTries } from './sign-in-tries.ts';

interface NewPerson {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly branch: string | null;
  readonly secret: string;
  /** Until when the secret is good, where somebody else made it; null for one that they chose. */
  readonly secretUntil: string | null;
}

/** Whoever is let in as anything but an operator can do more than those who let them in: that takes two. */
const needsOf = ({ role }: { readonly role: Role }) => (role === 'operator' ? 'one' : 'two');

/** @throws KaikaError `not-permitted` for an id that somebody has, and as `requireMandate` */
export async function addPerson(store: Store, person: NewPerson, mandate: Mandate, now: Date): Promise<void> {
  const { secret, ...known } = person;
  const secretHash = await hashSecret(secret);
  const { id, name, role, branch } = known;
  await together(store, async (db) => {
    await requireMandate(db, mandate, 'manage-people', { needs: needsOf(person), now });
    if (!(await insertOperator(db, { ...known, secretHash })))
      throw new KaikaError('not-permitted', `${id} is somebody already`);
    await note(db, 'operator-add', id, mandate, now, { name, role, branch });
  });
}

/** The first site admin, whom whoever has the machine lets in. @throws KaikaError `not-permitted` where there is one */
export async function addFirstAdmin(store: Store, admin: Admin, now: Date): Promise<void> {
  const known = await asAdmin(admin);
  await together(store, async (db) => {
    await holdPeople(db, now);
    if ((await listOperators(db)).some(isAdmin))
      throw new KaikaError(
        'not-permitted',
        'there is a site admin already; they let others in: operator add',
      );
    await putAdmin(db, admin.id, known);
    const detail = { name: admin.name, role: known.role, first: true };
    await writeAudit(db, { kind: 'operator-add', operator: admin.id, detail }, now);
  });
}

/** A site admin whom whoever has the machine lets in, or gives a secret, because no other one can: on record as nothing else is. */
export async function recoverAdmin(store: Store, admin: Admin, now: Date): Promise<void> {
  const known = await asAdmin(admin);
  await together(store, async (db) => {
    await holdPeople(db, now);
    await putAdmin(db, admin.id, known);
    await writeAudit(db, { kind: 'admin-recover', operator: admin.id, detail: { name: admin.name } }, now);
  });
}

type Admin = Pick<NewPerson, 'id' | 'name' | 'secret'>;

async function asAdmin({ name, secret }: Admin) {
  const secretHash = await hashSecret(secret);
  return { name, role: 'site-admin', branch: null, secretHash, secretUntil: null } as const;
}

/** Also somebody who was something else before, or shut out. */
async function putAdmin(db: Queries, id: string, known: Awaited<ReturnType<typeof asAdmin>>): Promise<void> {
  if (!(await insertOperator(db, { id, ...known })))
    await changeOperator(db, id, { ...known, disabled: false });
  await endSessionsOf(db, id);
}

const ONE_TIME_DAYS = 7;

/** Until when a secret that is made now lets somebody choose their own. */
export function oneTimeEnd(now: Date): string {
  return new Date(now.getTime() + ONE_TIME_DAYS * 24 * 3600 * 1000).toISOString();
}

/** A secret of which somebody else knows: whatever they are signed in for ends. @throws KaikaError `not-found`, as `requireMandate` */
export async function giveSecret(
  store: Store,
  id: string,
  secret: string,
  mandate: Mandate,
  now: Date,
): Promise<void> {
  const to = { secretHash: await hashSecret(secret), secretUntil: oneTimeEnd(now) };
  await change(store, { id, to, kind: 'operator-secret', needs: needsOf }, mandate, now);
}

/** A branch that is left out stays. @throws KaikaError `not-found`, as `requireMandate` */
export function changeRole(
  store: Store,
  id: string,
  to: { readonly role: Role; readonly branch?: string | null },
  mandate: Mandate,
  now: Date,
): Promise<void> {
  return change(store, { id, to, kind: 'operator-role', needs: () => 'two', detail: to }, mandate, now);
}

/**
 * Shuts somebody out at once, or lets them in again.
 * @throws KaikaError `not-found`, as `requireMandate`; `not-permitted`, also where nobody would be left who can let people in
 */
export function setDisabled(
  store: Store,
  id: string,
  disabled: boolean,
  mandate: Mandate,
  now: Date,
): Promise<void> {
  const kind = disabled ? 'operator-disable' : 'operator-enable';
  const needs = disabled ? () => 'one' as const : needsOf;
  return change(store, { id, to: { disabled }, kind, needs }, mandate, now);
}

/** Wrong secrets so far are forgotten. @throws KaikaError `not-found`, as `requireMandate` */
export function unlock(store: Store, id: string, mandate: Mandate, now: Date): Promise<void> {
  return together(store, async (db) => {
    await requireMandate(db, mandate, 'manage-people', { needs: 'one', whom: id, now });
    if ((await findOperator(db, id)) === undefined) throw notThere(id);
    await forgetTries(db, id, now);
    await note(db, 'operator-unlock', id, mandate, now, {});
  });
}

interface Change {
  readonly id: string;
  readonly to: Parameters<typeof changeOperator>[2];
  readonly kind: 'operator-secret' | 'operator-role' | 'operator-disable' | 'operator-enable';
  /** How many it takes, by who they are now. */
  readonly needs: (whom: Person) => 'one' | 'two';
  readonly detail?: object;
}

async function change(
  store: Store,
  { id, to, kind, needs, detail = {} }: Change,
  mandate: Mandate,
  now: Date,
): Promise<void> {
  await together(store, async (db) => {
    await holdPeople(db, now);
    const whom = await findOperator(db, id);
    const asked = { needs: whom === undefined ? ('one' as const) : needs(whom), whom: id, now };
    await requireMandate(db, mandate, 'manage-people', asked);
    if (whom === undefined) throw notThere(id);
    await changeOperator(db, id, to);
    await endSessionsOf(db, id);
    // They could be let in again only by whoever has the machine.
    if (!(await listOperators(db)).some((one) => isAdmin(one) && !one.disabled))
      throw new KaikaError('not-permitted', 'nobody would be left who can let people in');
    const before = kind === 'operator-role' ? { before: { role: whom.role, branch: whom.branch } } : {};
    await note(db, kind, id, mandate, now, { ...detail, ...before });
  });
}

export function isAdmin({ role }: { readonly role: Role }): boolean {
  return hasRight(role, 'manage-people');
}

function notThere(id: string): KaikaError {
  return new KaikaError('not-found', `there is no operator ${id}`);
}

async function note(
  db: Queries,
  kind: 'operator-add' | 'operator-unlock' | Change['kind'],
  operator: string,
  mandate: Mandate,
  now: Date,
  what: object,
): Promise<void> {
  await writeAudit(db, { kind, operator, detail: { ...what, doneBy: mandate.by, ...told(mandate) } }, now);
}

/** Letters and digits that nobody mistakes for others. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A secret to be handed over once: about 79 bits, in groups that can be read aloud. */
export function oneTimeSecret(): string {
  const letters = Array.from({ length: 16 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return letters.replace(/(.{4})(?!$)/g, '$1-');
}
