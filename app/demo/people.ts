/** The demo's people: somebody of each role that it plays, with secrets that only this machine has. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { hashSecret } from '../keyserver/access/secrets.ts';
import { openSqliteStore, type Store } from '../keyserver/store/open.ts';
import { changeOperator, insertOperator } from '../keyserver/store/people.ts';
import type { Role } from '../protocol/roles.ts';

/** Raised when what is kept changes so that it cannot be brought up; an older site is then left alone. */
const SITE_VERSION = 1;

const signsInSchema = z.strictObject({ operator: z.string(), secret: z.string() });

const peopleSchema = z.strictObject({
  version: z.literal(SITE_VERSION),
  clerk: signsInSchema,
  supervisor: signsInSchema,
  // A demo of before there were roles has none.
  admin: signsInSchema.optional(),
  custodian: signsInSchema.optional(),
});
export type PeopleOnFile = z.infer<typeof peopleSchema>;

const ROLES = {
  clerk: { role: 'operator', name: '李明' },
  supervisor: { role: 'supervisor', name: '王芳' },
  admin: { role: 'site-admin', name: '赵敏' },
  custodian: { role: 'key-custodian', name: '陈静' },
} as const satisfies Readonly<Record<string, { readonly role: Role; readonly name: string }>>;

type Who = keyof typeof ROLES;
const NAMES = ['clerk', 'supervisor', 'admin', 'custodian'] as const satisfies readonly Who[];
type SignsIn = z.infer<typeof signsInSchema>;

/** What each signs in with. */
export type People = Readonly<Record<Who, SignsIn>>;

export function newPeople(): People {
  return {
    clerk: signsIn('clerk'),
    supervisor: signsIn('supervisor'),
    admin: signsIn('admin'),
    custodian: signsIn('custodian'),
  };
}

/** @throws ZodError, SyntaxError for what is no demo's file, or one of another version */
export function peopleOf(text: string): PeopleOnFile {
  return peopleSchema.parse(JSON.parse(text));
}

export function writePeople(file: string, people: People): void {
  writeFileSync(file, JSON.stringify({ version: SITE_VERSION, ...people }), { mode: 0o600, flush: true });
}

/** Everybody of a demo that is being made. */
export async function putPeople(store: Store, people: People): Promise<void> {
  for (const who of NAMES) await putPerson(store, who, people[who]);
}

/** @throws Error for somebody who is there already */
async function putPerson(store: Store, who: Who, { operator, secret }: SignsIn): Promise<void> {
  const secretHash = await hashSecret(secret);
  const person = { id: operator, ...ROLES[who], branch: null, secretHash, secretUntil: null };
  if (!(await insertOperator(store, person))) throw new Error(`${operator} is somebody already`);
}

/** A demo of before there were roles gets those who are missing; where that is interrupted, the next start does it once more. */
export async function bringPeopleUp(
  paths: { readonly people: string; readonly store: string },
  { version: _version, ...onFile }: PeopleOnFile,
): Promise<People> {
  const { admin, custodian } = onFile;
  if (admin !== undefined && custodian !== undefined) return { ...onFile, admin, custodian };
  // Under ids of their own: somebody may have let in an admin, who is not to become another one.
  const people: People = {
    clerk: onFile.clerk,
    supervisor: onFile.supervisor,
    admin: signsIn(`admin-${randomBytes(3).toString('hex')}`),
    custodian: signsIn(`custodian-${randomBytes(3).toString('hex')}`),
  };
  const store = await openSqliteStore(paths.store);
  try {
    await changeOperator(store, people.supervisor.operator, { role: ROLES.supervisor.role });
    for (const who of ['admin', 'custodian'] as const) await putPerson(store, who, people[who]);
  } finally {
    await store.destroy();
  }
  writePeople(paths.people, people);
  return people;
}

function signsIn(operator: string): SignsIn {
  return { operator, secret: randomBytes(12).toString('base64url') };
}
