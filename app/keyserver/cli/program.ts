/** The key server's command line. What a command needs is loaded with it: help and a mistake need neither token nor store. */
import { Command, CommanderError } from 'commander';
import { ConfigError, readConfig, type ServerConfig } from '../config.ts';
import { readVaultFile } from '../vault-config.ts';
import type { ClaimOptions } from './claims.ts';
import { endOf } from './ending.ts';
import type { InitOptions } from './init.ts';
import type { KeysOptions } from './keys.ts';
import { ANSWERING, addPeople, addStations, type On } from './program-people.ts';
import type { ReleaseOptions } from './release.ts';

const LEFT_OUT = { configuration: 2, command: 2, other: 1 } as const;

/** Runs what was typed. Gives the exit status of docs/guide/key-server.md; `tell` gets what goes to standard error beside a command's own words. */
export async function runCommand(words: readonly string[], tell: (text: string) => void): Promise<number> {
  let status = 0;
  const program = buildProgram((ended) => {
    status = ended;
  });
  for (const one of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)])
    one.exitOverride().configureOutput({ writeErr: tell });
  try {
    await program.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return statusOf(error);
    const end = endOf(error);
    tell(end.text);
    return end.status;
  }
}

/** commander has said what is wrong by then. */
function statusOf({ code, exitCode }: CommanderError): number {
  switch (code) {
    case 'commander.helpDisplayed':
      return exitCode;
    case 'commander.missingMandatoryOptionValue':
      return LEFT_OUT.configuration;
    case 'commander.help':
    case 'commander.unknownCommand':
      return LEFT_OUT.command;
    default:
      return LEFT_OUT.other;
  }
}

/** Every command with its options, as commander has them. `ended` gets the exit status of the command that ran. */
export function buildProgram(ended: (status: number) => void): Command {
  const program = new Command('npm run server --')
    .usage('<command> --config FILE')
    .requiredOption('--config <FILE>', 'configuration of the key server, JSON')
    .configureHelp({ showGlobalOptions: true })
    .helpCommand(false);
  /** A command that works with the configuration. */
  const on =
    <Options>(work: (config: ServerConfig, options: Options) => Promise<number>) =>
    async (options: Options) =>
      ended(await work(readConfig(program.opts<{ config: string }>().config), options));

  program
    .command('init')
    .description(
      'write a first configuration, or try what the file names, make the store, and let the first site admin in',
    )
    .option(
      '--admin <ID>',
      'what the first site admin signs in with; their secret is read from standard input',
    )
    .option('--name <NAME>', 'their name, as staff read it')
    .option('--recover', 'though there is one: where no site admin can sign in any more')
    .action(async (options: InitOptions) => {
      const { initialise } = await import('./init.ts');
      ended(await initialise(program.opts<{ config: string }>().config, options));
    });
  program
    .command('serve')
    .description('run the key server')
    .action(on(async (config) => (await import('./run.ts')).runServer(config)));
  program
    .command('status')
    .description('token, keys and store in a few lines')
    .action(
      on(async (config) =>
        (await import('./status.ts')).printStatus(program.opts<{ config: string }>().config, config),
      ),
    );
  program
    .command('backup')
    .description('write the store to a file, while servers run')
    .option('--to <FILE>', 'the file; it is written whole or not at all')
    .action(on<{ to?: string }>(async (config, { to }) => (await import('./keeping.ts')).backUp(config, to)));
  program
    .command('restore')
    .description('put a backup into a new, empty store')
    .option('--from <FILE>', 'the backup')
    .option('--unauthenticated', 'take one that the token does not prove, on your word')
    .action(
      on<{ from?: string; unauthenticated?: boolean }>(async (config, { from, unauthenticated }) =>
        (await import('./keeping.ts')).restore(config, from, unauthenticated),
      ),
    );
  addPeople(program, on);
  addStations(program, on);
  addClaims(program, on);
  addVault(program, ended);
  addKeys(program, on);
  return program;
}

/** `vault`, with the configuration of a vault that is a user of its own; `make` and `fix` are its token's part of `keys`. */
function addVault(program: Command, ended: (status: number) => void): void {
  const file = () => readVaultFile(program.opts<{ config: string }>().config);
  const group = program
    .command('vault')
    .description('run the vault as a user of its own, or make keys in its token')
    .action(async () => {
      const { runVault } = await import('./vault.ts');
      ended(await runVault(program.opts<{ config: string }>().config, file()));
    });
  group
    .command('make')
    .description("make a key's next version inside the token; keys activate takes it up")
    .option('--key <KEY>', 'app/APP, app/APP/ROLE or isd/TYPE')
    .action(async ({ key }: { key?: string }) => {
      const { makeInToken } = await import('./vault.ts');
      ended(await makeInToken(file(), key));
    });
  group
    .command('fix')
    .description('give masters of an older program the rule that they lack')
    .action(async () => {
      const { fixInToken } = await import('./vault.ts');
      ended(await fixInToken(file()));
    });
}

/** People's decisions about a card. Some need two of them, because nothing on record proves what is decided. */
function addClaims(program: Command, on: On): void {
  program
    .command('release')
    .description('let a card be worked on again that was set aside, refused a key, or has few tries left')
    .option('--card <ID>', 'its identification code')
    .option(...ANSWERING.operator)
    .option('--second <ID>', 'another one who agrees, for a last try; their secret is the next line')
    .option('--gone <APP>', 'an app that is not on the card any more though nothing proves it')
    .option('--reason <TEXT>', 'why')
    .action(
      on<ReleaseOptions>(async (config, options) => (await import('./release.ts')).release(config, options)),
    );
  for (const [name, what] of [
    ['unbind', "take a card's account from it, so that another card may get it"],
    ['forget', 'drop what is known of a card that does not exist, or is as from the factory'],
  ] as const)
    program
      .command(name)
      .description(what)
      .option('--card <ID>', 'its identification code')
      .option(...ANSWERING.operator)
      .option(...ANSWERING.second)
      .option('--reason <TEXT>', 'why')
      .action(
        on<ClaimOptions>(async (config, options) => (await import('./claims.ts'))[name](config, options)),
      );
}

/** `keys` with its own commands. */
function addKeys(program: Command, on: On): void {
  const group = program
    .command('keys')
    .description("versions of the issuer's master keys")
    .argument('[command]')
    .action(() => {
      throw new ConfigError(`keys ${KEYS.map(({ name }) => name).join(', ')}: one of them.`);
    });
  for (const { name, what, version, change, page } of KEYS) {
    const command = group.command(name).description(what);
    if ((change && name !== 'fix') || page)
      command.option('--key <KEY>', 'app/APP, app/APP/ROLE or isd/TYPE');
    if (version) command.option('--version <N>', 'the version');
    if (page)
      command
        .option('--after <CARD>', 'cards behind this one')
        .option('--limit <N>', 'how many cards at most');
    if (change) command.option(...ANSWERING.operator).option(...ANSWERING.reason);
    command.action(
      on<KeysOptions>(async (config, options) => (await import('./keys.ts')).keys(config, name, options)),
    );
  }
}

/** The commands under `keys`. `change`: it needs an operator and a reason. */
const KEYS = [
  {
    name: 'list',
    what: 'versions of the master keys: algorithm, check value, state',
    version: false,
    change: false,
    page: false,
  },
  {
    name: 'make',
    what: "make a key's next version inside the token",
    version: false,
    change: true,
    page: false,
  },
  {
    name: 'activate',
    what: 'new writes use this version; cards on others are moved when they come',
    version: true,
    change: true,
    page: false,
  },
  {
    name: 'rollback',
    what: 'activate again what was active before',
    version: false,
    change: true,
    page: false,
  },
  { name: 'retire', what: 'give up a version that no card has', version: true, change: true, page: false },
  {
    name: 'report',
    what: 'how many cards are on each version, or which',
    version: true,
    change: false,
    page: true,
  },
  {
    name: 'fix',
    what: 'give masters of an older program the rule that they lack',
    version: false,
    change: true,
    page: false,
  },
] as const;
