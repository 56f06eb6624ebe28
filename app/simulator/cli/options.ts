/** The command line of `npm run card`. */
import { Command, CommanderError, Option } from 'commander';
import { PROFILES, type ProfileName } from '../profiles.ts';
import { VPCD_PORT } from '../vpcd.ts';
import {
  atrOf,
  byte,
  codeOf,
  decimal,
  fileOf,
  keyOf,
  latencyOf,
  profileOf,
  scpOf,
  UsageError,
} from './values.ts';

/** What is asked of the card and of the place it is put. */
export interface Options {
  readonly profile?: ProfileName;
  readonly scp?: '02' | '03';
  readonly i?: number;
  readonly keyVersion?: number;
  readonly keys?: { readonly enc: string; readonly mac: string; readonly dek: string };
  readonly atr?: string;
  readonly memory?: number;
  readonly failureLimit?: number;
  readonly code?: string;
  readonly port: number;
  readonly pcscd: boolean;
  readonly latency: 'none' | 'realistic';
  readonly state?: string;
  readonly replay?: string;
  readonly trace?: string;
  readonly traceFull: boolean;
  /** Only the usage is asked for. */
  readonly help: boolean;
}

/** @throws UsageError */
export function parseOptions(words: readonly string[]): Options {
  const values = read(words);
  const { latency = 'none', pcscd = false, traceFull = false, help = false } = values;
  const { key, keyEnc, keyMac, keyDek, tries, port, ...rest } = values;
  if (pcscd && port !== undefined)
    throw new UsageError('--port is of a vpcd that runs already; --pcscd starts one with a port of its own.');
  requireReplayAlone(values);
  if (traceFull && rest.trace === undefined) throw new UsageError('--trace-full needs --trace FILE.');
  const keys = keysOf(values);
  return {
    ...rest,
    port: port ?? VPCD_PORT,
    pcscd,
    latency,
    traceFull,
    help,
    ...(keys === undefined ? {} : { keys }),
    ...(tries === undefined ? {} : { failureLimit: tries }),
  };
}

/** What `npm run card -- --help` says. */
export function usage(): string {
  const profiles = Object.entries(PROFILES).map(([name, { what }]) => `  ${name.padEnd(14)} ${what}`);
  return `${commandLine().helpInformation()}\nProfiles:\n${profiles.join('\n')}\n`;
}

/** As typed; nothing is here that was left out. */
interface Values {
  readonly profile?: ProfileName;
  readonly scp?: '02' | '03';
  readonly i?: number;
  readonly keyVersion?: number;
  readonly key?: string;
  readonly keyEnc?: string;
  readonly keyMac?: string;
  readonly keyDek?: string;
  readonly atr?: string;
  readonly memory?: number;
  readonly tries?: number;
  readonly code?: string;
  readonly port?: number;
  readonly pcscd?: true;
  readonly latency?: 'none' | 'realistic';
  readonly state?: string;
  readonly replay?: string;
  readonly trace?: string;
  readonly traceFull?: true;
  readonly help?: true;
}

function read(words: readonly string[]): Values {
  try {
    return commandLine().parse(words, { from: 'user' }).opts<Values>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new UsageError(`There is a mistake: ${mistake(error)}; npm run card -- --help tells the options.`);
  }
}

/** commander repeats every word it does not understand, and such a word may be a key: of an option only its name is said. */
function mistake({ code, message }: CommanderError): string {
  const [reason = '', suggestion = ''] = message.replace(/^error: /, '').split('\n(');
  switch (code) {
    case 'commander.unknownOption':
      return `${reason.replace(/=.*/s, "'")}${suggestion === '' ? '' : ` (${suggestion}`}`;
    case 'commander.optionMissingArgument':
      return reason;
    default:
      return 'a word belongs to no option';
  }
}

function commandLine(): Command {
  return new Command('npm run card --')
    .usage(
      `--profile NAME [options]
       npm run card -- --state FILE [options]
       npm run card -- --replay FILE [--pcscd | --port N] [--trace FILE]`,
    )
    .description(
      'Puts a virtual card into a reader of a running vpcd, or with --pcscd starts a pcscd for it.',
    )
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, getOutHelpWidth: () => HELP_WIDTH })
    .addOption(taking('--profile <NAME>', 'which card', profileOf))
    .addOption(taking('--scp <02|03>', 'secure channel protocol', scpOf))
    .addOption(taking('--i <HEX>', 'its option "i"; SCP03: plus 01 for S16', byte(0x00, 0x7f)))
    .addOption(taking('--key-version <HEX>', 'key version number of the first keys', byte(0x01, 0xff)))
    .addOption(
      taking(
        '--key <HEX>',
        'the three keys at once, 16 bytes (SCP03 also 24 or 32); default 404142…4F',
        keyOf,
      ),
    )
    .addOption(taking('--key-enc <HEX>', 'the three keys one by one', keyOf))
    .addOption(taking('--key-mac <HEX>', 'the same', keyOf))
    .addOption(taking('--key-dek <HEX>', 'the same', keyOf))
    .addOption(taking('--atr <HEX>', 'answer to reset', atrOf))
    .addOption(taking('--memory <BYTES>', 'free non-volatile memory', decimal(0, 0x7fffffff)))
    .addOption(
      taking(
        '--tries <N>',
        'wrong authentications that lock the keys for good; 10 by default',
        decimal(1, 0xff),
      ),
    )
    .addOption(taking('--code <DIGITS>', 'identification code, 16 digits; a fresh one by default', codeOf))
    .addOption(
      taking('--port <N>', `port of vpcd on this machine; ${VPCD_PORT} by default`, decimal(1, 65_535)),
    )
    .option('--pcscd', 'start a pcscd of our own and say how clients find it')
    .addOption(
      taking('--latency <NAME>', 'realistic (as slow as a real card) or none, the default', latencyOf),
    )
    .addOption(taking('--state <FILE>', 'keep the card in this file; made when it is not there', fileOf))
    .addOption(
      taking('--replay <FILE>', 'a card that answers exactly the dialogue in this file, a trace', fileOf),
    )
    .addOption(
      taking('--trace <FILE>', 'write the dialogue to this file, keys and personal data masked', fileOf),
    )
    .option('--trace-full', 'mask nothing: for virtual cards only')
    .option('-h, --help', 'these options');
}

/** The usage is the same in every terminal. */
const HELP_WIDTH = 110;

/**
 * An option with a value. commander takes the next word as the value whatever it is, and `--state --pcscd` would keep the card in a file
 * called "--pcscd"; so a value that looks like an option is refused. `read` throws UsageError where a value is wrong, never commander's
 * own error: that repeats the value, which may be a key.
 */
function taking<T>(flags: string, what: string, read: (text: string, option: string) => T): Option {
  const option = new Option(flags, what);
  const name = `--${option.name()}`;
  return option.argParser((text) => {
    if (text.startsWith('--')) throw new UsageError(`${name} needs a value.`);
    return read(text, name);
  });
}

/** Beside a dialogue goes only where it is played and written to. */
const WITH_REPLAY: readonly string[] = ['replay', 'port', 'pcscd', 'trace', 'traceFull', 'help'];

function requireReplayAlone(values: Values): void {
  if (values.replay === undefined) return;
  const other = Object.keys(values).find((name) => !WITH_REPLAY.includes(name));
  if (other === undefined) return;
  const option = other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UsageError(`--replay plays the card that was recorded: leave --${option} out.`);
}

function keysOf({ key, keyEnc: enc, keyMac: mac, keyDek: dek }: Values): Options['keys'] {
  const some = [enc, mac, dek].some((one) => one !== undefined);
  if (key !== undefined && some)
    throw new UsageError('--key stands for all three keys: leave --key-enc, --key-mac and --key-dek out.');
  if (key !== undefined) return { enc: key, mac: key, dek: key };
  if (!some) return undefined;
  if (enc === undefined || mac === undefined || dek === undefined)
    throw new UsageError('--key-enc, --key-mac and --key-dek are given together.');
  return { enc, mac, dek };
}
