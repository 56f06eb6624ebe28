/** The command line of `npm start`. */
import { Command, CommanderError, Option } from 'commander';
import { accountSchema, appIdSchema } from '../protocol/wire.ts';
import type { Language } from '../texts/language.ts';
import { DEMO_TYPES, type DemoType } from './delivery.ts';
import { type Fault, parseFault } from './faults.ts';
import { terminalLanguages } from './resources.ts';

export interface Options {
  readonly headless: boolean;
  readonly json: boolean;
  readonly pcsc: boolean;
  readonly builtIn: boolean;
  readonly reset: boolean;
  readonly enable: readonly string[];
  readonly delete: readonly string[];
  readonly account?: string;
  readonly card?: string;
  readonly type: DemoType;
  readonly fault?: Fault;
  readonly confirm: boolean;
  readonly latency: 'none' | 'realistic';
  readonly language?: Language;
  /** Only the usage is asked for. */
  readonly help: boolean;
  /** Only the names of the faults are asked for. */
  readonly listFaults: boolean;
}

/** A command line that cannot be followed, in a sentence for the person at the terminal. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const STORY = { enable: ['e-wallet', 'identity', 'campus-meal'], delete: ['transit'] };

/** @throws UsageError */
export function parseOptions(words: readonly string[]): Options {
  const {
    apps,
    delete: deleted,
    cardType = 'demo-scp03',
    latency = 'realistic',
    fault,
    ...rest
  } = read(words);
  const given = apps !== undefined || deleted !== undefined;
  const enable = apps ?? (given ? [] : STORY.enable);
  const deletes = deleted ?? (given ? [] : STORY.delete);
  const twice = [...enable, ...deletes].find((app, at, all) => all.indexOf(app) !== at);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice: enable it or delete it, once.`);
  if (enable.length + deletes.length === 0)
    throw new UsageError('Name at least one app to enable or to delete.');
  const { headless = false, json = false, pcsc = false, builtIn = false, reset = false } = rest;
  // The story deletes a purse, and a purse is deleted by two people.
  const { confirm = !given, help = false } = rest;
  if (pcsc && (rest.card !== undefined || (fault !== undefined && fault !== 'list')))
    throw new UsageError('--pcsc works with real readers: --card and --fault are for virtual ones.');
  return {
    ...rest,
    headless,
    json,
    pcsc,
    builtIn,
    reset,
    enable,
    delete: deletes,
    type: cardType,
    confirm,
    latency,
    help,
    listFaults: fault === 'list',
    ...(fault === undefined || fault === 'list' ? {} : { fault }),
  };
}

/** What `npm start -- --help` says. */
export function usage(): string {
  return commandLine().helpInformation();
}

/** As typed; nothing is here that was left out. */
interface Values {
  readonly headless?: true;
  readonly json?: true;
  readonly apps?: readonly string[];
  readonly delete?: readonly string[];
  readonly account?: string;
  readonly confirm?: true;
  readonly card?: string;
  readonly cardType?: DemoType;
  readonly pcsc?: true;
  readonly builtIn?: true;
  readonly latency?: 'none' | 'realistic';
  readonly fault?: Fault | 'list';
  readonly language?: Language;
  readonly reset?: true;
  readonly help?: true;
}

function read(words: readonly string[]): Values {
  try {
    return commandLine().parse(words, { from: 'user' }).opts<Values>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [reason = '', suggestion = ''] = error.message.replace(/^error: /, '').split('\n');
    throw new UsageError(`There is a mistake: ${reason} ${suggestion}\n\n${usage()}`);
  }
}

function commandLine(): Command {
  return new Command('npm start --')
    .usage('[options]')
    .description("Opens the station's window on a demo of everything around it.")
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, getOutHelpWidth: () => HELP_WIDTH })
    .addOption(taking('--card <FILE>', 'a virtual card to keep; made when the file is not there', cardOf))
    .addOption(taking('--card-type <NAME>', 'demo-scp03 (default) or demo-scp02', cardTypeOf))
    .option('--pcsc', "use this machine's own PC/SC service and readers")
    .option('--built-in', "use the engine's built-in virtual reader, as where there is no PC/SC")
    .addOption(
      taking('--latency <NAME>', 'realistic (default: a card as slow as a real one) or none', latencyOf),
    )
    .addOption(taking('--fault <NAME>', 'play a fault and see its message; --fault list names them', faultOf))
    .addOption(taking('--language <NAME>', terminalLanguages().join(' or '), languageOf))
    .option('--reset', "throw the demo's data away and start fresh")
    .option('-h, --help', 'these options')
    .option('--headless', 'issue one card at the terminal instead of opening the window')
    .optionsGroup('With --headless:')
    .option('--json', 'the result as JSON, the last line on standard output')
    .addOption(
      taking('--apps <A,B>', 'enable these apps (default: e-wallet,identity,campus-meal)', appsOf('--apps')),
    )
    .addOption(
      taking('--delete <A,B>', 'delete these apps (default, without --apps: transit)', appsOf('--delete')),
    )
    .addOption(taking('--account <DIGITS>', 'the card account (default: a fresh one)', accountOf))
    .option('--confirm', 'a second person confirms that a purse is deleted');
}

/** The usage is the same in every terminal. */
const HELP_WIDTH = 110;

/**
 * An option with a value. commander takes the next word as the value whatever it is, and `--card --headless` would make a card in a
 * file called "--headless"; so a value that looks like an option is refused.
 */
function taking<T>(flags: string, what: string, read: (text: string) => T): Option {
  const option = new Option(flags, what);
  return option.argParser((text) => {
    if (text.startsWith('--')) throw new UsageError(`--${option.name()} needs a value.`);
    return read(text);
  });
}

function appsOf(option: string): (text: string) => string[] {
  return (text) => {
    const apps = text.split(',').filter((app) => app !== '');
    const wrong = apps.find((app) => !appIdSchema.safeParse(app).success);
    if (wrong !== undefined) throw new UsageError(`${option}: "${wrong}" is not the name of an app.`);
    return apps;
  };
}

function accountOf(text: string): string {
  if (!accountSchema.safeParse(text).success) throw new UsageError('--account takes 8 to 20 digits.');
  return text;
}

function cardOf(text: string): string {
  if (text === '') throw new UsageError('--card takes the name of a file.');
  return text;
}

function cardTypeOf(text: string): DemoType {
  if (isDemoType(text)) return text;
  const types = Object.keys(DEMO_TYPES).join(' and ');
  throw new UsageError(`There is no card type "${text}"; there are ${types}.`);
}

function isDemoType(text: string): text is DemoType {
  return Object.hasOwn(DEMO_TYPES, text);
}

function latencyOf(text: string): 'none' | 'realistic' {
  if (text === 'none' || text === 'realistic') return text;
  throw new UsageError('--latency takes realistic or none.');
}

function faultOf(text: string): Fault | 'list' {
  const fault = text === 'list' ? text : parseFault(text);
  if (fault === undefined) throw new UsageError(`There is no fault "${text}"; --fault list names them.`);
  return fault;
}

function languageOf(text: string): Language {
  if (terminalLanguages().includes(text)) return text;
  throw new UsageError(`--language takes ${terminalLanguages().join(' or ')}.`);
}
