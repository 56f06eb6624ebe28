/** `operator`: who may sign in, what they may, and shutting them out. */
import { nameSchema } from '../../protocol/names.ts';
import { ROLES, type Role, roleSchema } from '../../protocol/roles.ts';
import { newSecretSchema } from '../../protocol/wire.ts';
import {
  addPerson,
  changeRole,
  giveSecret,
  oneTimeEnd,
  oneTimeSecret,
  setDisabled,
  unlock,
} from '../access/people.ts';
import { checkSecret, chooseSecret } from '../access/sessions.ts';
import { TERMINAL } from '../access/sign-in-tries.ts';
import { ConfigError, type ServerConfig } from '../config.ts';
import { listOperators } from '../store/people.ts';
import { inStore } from './in-store.ts';
import { readSecrets } from './secrets.ts';
import { answeredFor, LEAST_REASON, need, reasonOf, type WhoOptions } from './who.ts';

/** As typed. */
export interface PeopleOptions extends WhoOptions {
  readonly id?: string;
  readonly name?: string;
  readonly role?: string;
  readonly branch?: string | boolean;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const tell = (line: string) => process.stderr.write(`${line}\n`);

/** @throws ConfigError for what was left out; KaikaError when it is refused */
export async function people(config: ServerConfig, command: string, options: PeopleOptions): Promise<number> {
  switch (command) {
    case 'list':
      return list(config);
    case 'own-secret':
      return ownSecret(config, options);
    case 'add':
      return add(config, options);
    case 'secret':
      return secret(config, options);
    case 'role':
      return role(config, options);
    case 'disable':
    case 'enable':
      return disable(config, options, command);
    case 'unlock':
      return unlocked(config, options);
    default:
      throw new ConfigError('operator list, add, secret, role, disable, enable, unlock or own-secret.');
  }
}

async function list(config: ServerConfig): Promise<number> {
  for (const { id, name, role: is, branch, disabled, secretUntil } of await inStore(config, listOperators))
    say(
      [
        id,
        name,
        is,
        branch ?? 'every branch',
        ...(disabled ? ['shut out'] : []),
        ...(secretUntil === null ? [] : [`has a one-time secret until ${secretUntil.slice(0, 10)}`]),
      ].join(', '),
    );
  return 0;
}

async function add(config: ServerConfig, options: PeopleOptions): Promise<number> {
  const { id, name } = options;
  if (id === undefined || name === undefined || options.role === undefined || options.operator === undefined)
    throw new ConfigError(
      'operator add needs --id ID, --name NAME, --role ROLE and --operator ID of a site admin; --branch B where they work at one.',
    );
  requireName('--id', id);
  requireName('--name', name);
  const { role, branch = null } = placeOf(options);
  const own = oneTimeSecret();
  await answeredFor(config, options, RIGHT, (store, mandate, now) =>
    addPerson(store, { id, name, role, branch, secret: own, secretUntil: oneTimeEnd(now) }, mandate, now),
  );
  tell(
    `${name} can sign in as ${id} with the secret on the next line. It is good for seven days, for choosing their own, once.`,
  );
  say(own);
  return 0;
}

async function secret(config: ServerConfig, options: PeopleOptions): Promise<number> {
  const id = need(options.id, 'operator secret needs --id ID and --operator ID of a site admin.');
  const own = oneTimeSecret();
  await answeredFor(config, options, RIGHT, (store, mandate, now) =>
    giveSecret(store, id, own, mandate, now),
  );
  tell(
    `${id} has the secret on the next line. It is good for seven days, for choosing their own, once; what they had signed in for is over.`,
  );
  say(own);
  return 0;
}

async function role(config: ServerConfig, options: PeopleOptions): Promise<number> {
  const id = need(options.id, NEEDS_ROLE);
  need(options.role, NEEDS_ROLE);
  const to = placeOf(options);
  await answeredFor(config, options, RIGHT, (store, mandate, now) => changeRole(store, id, to, mandate, now));
  const where = to.branch === undefined ? '' : to.branch === null ? ' of every branch' : ` of ${to.branch}`;
  tell(`${id} is ${to.role}${where} from now on, and signs in again.`);
  return 0;
}

const NEEDS_ROLE =
  'operator role needs --id ID, --role ROLE, --operator ID of a site admin and --second ID of another; --branch B where they work at one.';

async function disable(
  config: ServerConfig,
  options: PeopleOptions,
  command: 'disable' | 'enable',
): Promise<number> {
  const needs = `operator ${command} needs --id ID, --operator ID of a site admin and --reason TEXT of ${LEAST_REASON} characters at least.`;
  const id = need(options.id, needs);
  if (reasonOf(options).length < LEAST_REASON) throw new ConfigError(needs);
  await answeredFor(config, options, RIGHT, (store, mandate, now) =>
    setDisabled(store, id, command === 'disable', mandate, now),
  );
  tell(
    command === 'disable'
      ? `${id} is shut out: what they had signed in for is over. A job that runs goes on to its end, so that its card is safe.`
      : `${id} can sign in again.`,
  );
  return 0;
}

async function unlocked(config: ServerConfig, options: PeopleOptions): Promise<number> {
  const id = need(options.id, 'operator unlock needs --id ID and --operator ID of a site admin.');
  await answeredFor(config, options, RIGHT, (store, mandate, now) => unlock(store, id, mandate, now));
  tell(`Wrong secrets of ${id} are forgotten.`);
  return 0;
}

/** Whoever has a secret chooses another, also the one-time secret of somebody who never works at a counter. */
async function ownSecret(config: ServerConfig, { operator }: PeopleOptions): Promise<number> {
  const id = need(operator, 'operator own-secret needs --operator ID.');
  const [old, chosen] = await readSecrets([`Secret of ${id}`, `New secret of ${id}`], 'the last is new');
  if (!newSecretSchema.safeParse(chosen).success)
    throw new ConfigError('The new secret needs 8 to 256 characters.');
  await inStore(config, async (store) => {
    const now = new Date();
    const known = await checkSecret(store, TERMINAL, { operator: id, secret: old }, now, config.limits);
    await chooseSecret(store, known, old, chosen, now);
  });
  tell(`${id} has a new secret. What they had signed in for is over.`);
  return 0;
}

const RIGHT = 'manage-people';

/** A branch that is left out is undefined, none is null. */
function placeOf({ role: typed, branch }: PeopleOptions): {
  readonly role: Role;
  readonly branch?: string | null;
} {
  const read = roleSchema.safeParse(typed);
  if (!read.success) throw new ConfigError(`--role: ${ROLES.join(', ')}.`);
  return { role: read.data, ...branchOf(branch) };
}

/** As commander has `--branch B` and `--no-branch`. @throws ConfigError */
export function branchOf(typed: string | boolean | undefined): { readonly branch?: string | null } {
  if (typed === false) return { branch: null };
  if (typed === undefined || typed === true) return {};
  requireName('--branch', typed);
  return { branch: typed };
}

/** They stand on screens and in the record. */
const nameOfSomebody = nameSchema(64);

/** @throws ConfigError */
export function requireName(option: string, name: string): void {
  if (!nameOfSomebody.safeParse(name).success)
    throw new ConfigError(
      `${option}: a name has 1 to 64 letters, digits, spaces and signs of - _ . , : ; ( ) [ ] # + / @ ', and begins with a letter or digit.`,
    );
}
