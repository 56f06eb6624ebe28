/** `operator` and `station` on the command line. What they do is loaded when one of them is run. */
import type { Command } from 'commander';
import { ConfigError, type ServerConfig } from '../config.ts';
import type { PeopleOptions } from './people.ts';
import type { StationOptions } from './stations.ts';

/** A command that works with the configuration. */
export type On = <Options>(
  work: (config: ServerConfig, options: Options) => Promise<number>,
) => (options: Options) => Promise<void>;

/** Options of whoever answers for a command. */
export const ANSWERING = {
  operator: ['--operator <ID>', 'who answers for it; their secret is read from standard input'],
  second: ['--second <ID>', 'another one who agrees; their secret is the next line of standard input'],
  reason: ['--reason <TEXT>', 'why'],
  branch: ['--branch <B>', 'the branch; as it was where it is left out'],
  noBranch: ['--no-branch', 'of no branch: for people every one'],
} as const;

/** `operator` with its own commands. */
export function addPeople(program: Command, on: On): void {
  const group = program
    .command('operator')
    .description('who may sign in, and what they may')
    .argument('[command]')
    .action(() => {
      throw new ConfigError(`operator ${PEOPLE.map(([name]) => name).join(', ')}: one of them.`);
    });
  for (const [name, what, options] of PEOPLE) {
    const command = group.command(name).description(what);
    for (const one of options) {
      const [flags, said] = OF_PEOPLE[one];
      command.option(flags, said);
    }
    command.action(
      on<PeopleOptions>(async (config, typed) => (await import('./people.ts')).people(config, name, typed)),
    );
  }
}

/** `station` with its own commands. */
export function addStations(program: Command, on: On): void {
  const group = program
    .command('station')
    .description('which stations may come')
    .argument('[command]')
    .action(() => {
      throw new ConfigError(`station ${STATIONS.map(([name]) => name).join(', ')}: one of them.`);
    });
  for (const [name, what, options] of STATIONS) {
    const command = group.command(name).description(what);
    for (const one of options) {
      const [flags, said] = OF_STATIONS[one];
      command.option(flags, said);
    }
    command.action(
      on<StationOptions>(async (config, typed) =>
        (await import('./stations.ts')).stations(config, name, typed),
      ),
    );
  }
}

const OF_PEOPLE = {
  ...ANSWERING,
  id: ['--id <ID>', 'what they sign in with'],
  name: ['--name <NAME>', 'their name, as staff read it'],
  role: ['--role <ROLE>', 'operator, supervisor, site-admin, key-custodian or auditor'],
} as const;

const OF_STATIONS = {
  ...ANSWERING,
  name: ['--name <NAME>', 'what it is called in the record'],
  certificate: ['--certificate <FILE>', 'its certificate, PEM'],
} as const;

type Options<Of> = readonly (readonly [name: string, what: string, options: readonly (keyof Of)[]])[];

const PEOPLE: Options<typeof OF_PEOPLE> = [
  ['list', 'everybody, with role and branch', []],
  [
    'add',
    'let somebody in; prints a secret for their first use',
    ['id', 'name', 'role', 'branch', 'operator', 'second'],
  ],
  ['secret', 'give somebody a secret for one use, in place of theirs', ['id', 'operator', 'second']],
  [
    'role',
    'another role, or another branch',
    ['id', 'role', 'branch', 'noBranch', 'operator', 'second', 'reason'],
  ],
  ['disable', 'shut somebody out at once', ['id', 'operator', 'reason']],
  ['enable', 'let them in again', ['id', 'operator', 'second', 'reason']],
  ['unlock', 'forget their wrong secrets', ['id', 'operator']],
  [
    'own-secret',
    'choose another secret: the old one and the new one, a line each, from standard input',
    ['operator'],
  ],
];

const STATIONS: Options<typeof OF_STATIONS> = [
  ['list', 'every certificate, also revoked ones', []],
  [
    'add',
    'enrol a station by its client certificate',
    ['name', 'certificate', 'branch', 'noBranch', 'operator', 'second'],
  ],
  ['revoke', 'shut a station out at once, for good', ['name', 'operator', 'second', 'reason']],
  ['move', 'to another branch', ['name', 'branch', 'noBranch', 'operator', 'reason']],
];
