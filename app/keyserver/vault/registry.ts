/**
 * The operations of the serving vault, each family registered once. The server and the vault process both load their shapes; what
 * carries them out, and PKCS#11 with it, the vault process alone.
 */
import { FMCOS_ROLES } from '../../dialects/fmcos/roles.ts';
import { type AnyRun, byName, type Operation, type Operations, type RunsOf } from './operation.ts';
import { channelOperations } from './operations/channel.ts';
import { fmcosOperations } from './operations/fmcos.ts';
import { sealOperations } from './operations/seal.ts';
import { tokenOperations } from './operations/token.ts';
import type { Workbench } from './process/run/workbench.ts';

/** Operations that belong together. */
export interface Family<O extends Operations = Operations> {
  /** Whose they are: the vault's own, methods of `Vault`; or a dialect's, asked for by name with `Vault.ask`. */
  readonly kind: 'own' | 'dialect';
  readonly operations: O;
  /** Roles of the masters that its operations use; of no other family. None of the vault's own keys has a role of an app. */
  readonly roles: readonly string[];
  /** Loads what carries them out, by name. Called in the vault process only. */
  readonly load: () => Promise<Readonly<Record<string, AnyRun<Workbench>>>>;
}

type Module<O extends Operations> = () => Promise<{ readonly runs: RunsOf<O, Workbench> }>;

function family<O extends Operations>(
  kind: Family['kind'],
  operations: O,
  roles: readonly string[],
  module: Module<O>,
): Family<O> {
  return { kind, operations, roles, load: async () => byName((await module()).runs) };
}

/** The key operations of a dialect (app/dialects/), and the roles of its keys. Each gives bytes. */
export function dialectFamily<O extends Operations>(
  operations: O,
  roles: readonly string[],
  module: Module<O>,
): Family<O> {
  return family('dialect', operations, roles, module);
}

type Merged<F extends readonly Family[]> = F extends readonly [
  Family<infer O>,
  ...infer Rest extends readonly Family[],
]
  ? O & Merged<Rest>
  : Record<never, never>;

/**
 * The operations of some families in one. Operations know a master by its role alone, so a role that two dialects had would let the
 * operations of one use the masters of the other.
 * @throws Error when two have one name, or two families one role
 */
export function operationsOf<F extends readonly Family[]>(families: F): Merged<F> {
  const all: Record<string, Operation> = {};
  for (const [name, operation] of families.flatMap(({ operations }) => Object.entries(operations))) {
    if (all[name] !== undefined) throw new Error(`two operations of the vault are called ${name}`);
    all[name] = operation;
  }
  const roles = families.flatMap((one) => one.roles);
  const shared = roles.find((role, at) => roles.indexOf(role) !== at);
  if (shared !== undefined) throw new Error(`two dialects of the vault have keys of the role ${shared}`);
  // Exactly the members of all families; the compiler cannot follow a loop over names.
  return all as Merged<F>;
}

const OWN = [
  family('own', tokenOperations, [], () => import('./process/run/status.ts')),
  family('own', channelOperations, [], () => import('./process/run/channel.ts')),
  family('own', sealOperations, [], () => import('./process/run/seal.ts')),
] as const;

/** What the vault serves. A new dialect adds one line here. */
export const VAULT_FAMILIES: readonly Family[] = [
  ...OWN,
  dialectFamily(fmcosOperations, Object.values(FMCOS_ROLES), () => import('./process/run/fmcos.ts')),
];

/** The vault's own operations: the methods of `Vault`. */
export const ownOperations = operationsOf(OWN);
