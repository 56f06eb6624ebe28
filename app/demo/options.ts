/** The command line of `npm start`. */
import { parseArgs } from 'node:util';
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
  readonly help: boolean;
}

/** A command line that cannot be followed, in a sentence for the person at the terminal. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

export const USAGE = `Usage: npm start -- [options]

Opens the station's window on a demo of everything around it.

  --headless         issue one card at the terminal instead
    --json           the result as JSON, the last line on standard output
    --apps A,B       enable these apps (default: e-wallet,identity,campus-meal)
    --delete A,B     delete these apps (default, when --apps is not given: transit)
    --account DIGITS the card account (default: a fresh one)
    --confirm        a second person confirms that a purse with money in it is deleted
  --card FILE        a virtual card to keep; made when the file is not there
  --card-type NAME   demo-scp03 (default) or demo-scp02
  --pcsc             use this machine's own PC/SC service and readers
  --built-in         use the engine's built-in virtual reader, as where there is no PC/SC
  --latency NAME     realistic (default: a card as slow as a real one) or none
  --fault NAME       play a fault and see its message; --fault list names them
  --language NAME    zh-CN or en
  --reset            throw the demo's data away and start fresh
`;

const STORY = { enable: ['e-wallet', 'identity', 'campus-meal'], delete: ['transit'] };

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const { values } = read(args);
  const given = values.apps !== undefined || values.delete !== undefined;
  const enable = values.apps === undefined ? (given ? [] : STORY.enable) : list('--apps', values.apps);
  const deletes = values.delete === undefined ? (given ? [] : STORY.delete) : list('--delete', values.delete);
  const twice = [...enable, ...deletes].find((app, at, all) => all.indexOf(app) !== at);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice: enable it or delete it, once.`);
  if (enable.length + deletes.length === 0)
    throw new UsageError('Name at least one app to enable or to delete.');
  const type = values['card-type'] ?? 'demo-scp03';
  if (!isDemoType(type))
    throw new UsageError(
      `There is no card type "${type}"; there are ${Object.keys(DEMO_TYPES).join(' and ')}.`,
    );
  const { account, language, latency = 'realistic' } = values;
  if (account !== undefined && !accountSchema.safeParse(account).success) {
    throw new UsageError('--account takes 8 to 20 digits.');
  }
  if (language !== undefined && !terminalLanguages().includes(language)) {
    throw new UsageError(`--language takes ${terminalLanguages().join(' or ')}.`);
  }
  if (latency !== 'none' && latency !== 'realistic')
    throw new UsageError('--latency takes realistic or none.');
  const fault = values.fault === undefined ? undefined : parseFault(values.fault);
  if (values.fault !== undefined && fault === undefined) {
    throw new UsageError(`There is no fault "${values.fault}"; --fault list names them.`);
  }
  if (values.pcsc === true && (values.card !== undefined || fault !== undefined)) {
    throw new UsageError('--pcsc works with real readers: --card and --fault are for virtual ones.');
  }
  if (values.card === '') throw new UsageError('--card takes the name of a file.');
  return {
    headless: values.headless === true,
    json: values.json === true,
    pcsc: values.pcsc === true,
    builtIn: values['built-in'] === true,
    reset: values.reset === true,
    enable,
    delete: deletes,
    type,
    confirm: values.confirm === true,
    latency,
    help: values.help === true,
    ...(account === undefined ? {} : { account }),
    ...(values.card === undefined ? {} : { card: values.card }),
    ...(fault === undefined ? {} : { fault }),
    ...(language === undefined ? {} : { language }),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        headless: { type: 'boolean' },
        json: { type: 'boolean' },
        pcsc: { type: 'boolean' },
        'built-in': { type: 'boolean' },
        reset: { type: 'boolean' },
        apps: { type: 'string' },
        delete: { type: 'string' },
        account: { type: 'string' },
        card: { type: 'string' },
        'card-type': { type: 'string' },
        confirm: { type: 'boolean' },
        latency: { type: 'string' },
        fault: { type: 'string' },
        language: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ')[0] ?? '') : '';
    throw new UsageError(`${reason}.\n\n${USAGE}`);
  }
}

function list(option: string, text: string): string[] {
  const apps = text.split(',').filter((app) => app !== '');
  const wrong = apps.find((app) => !appIdSchema.safeParse(app).success);
  if (wrong !== undefined) throw new UsageError(`${option}: "${wrong}" is not the name of an app.`);
  return apps;
}

function isDemoType(text: string): text is DemoType {
  return Object.hasOwn(DEMO_TYPES, text);
}
