/** The command line of `npm run card`. */
import { parseArgs } from 'node:util';
import { readAtr } from '../atr.ts';
import { isProfileName, PROFILES, type ProfileName } from '../profiles.ts';
import { VPCD_PORT } from '../vpcd.ts';

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
  readonly help: boolean;
}

/** A command line that cannot be followed, in a sentence for the person at the terminal. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const NAMES = Object.keys(PROFILES);

export const USAGE = `Usage: npm run card -- --profile NAME [options]
       npm run card -- --state FILE [options]
       npm run card -- --replay FILE [--pcscd | --port N] [--trace FILE]

Puts a virtual card into a reader of a running vpcd, or with --pcscd starts a pcscd for it.

${Object.entries(PROFILES)
  .map(([name, { what }]) => `  ${name.padEnd(14)} ${what}`)
  .join('\n')}

  --scp 02|03        secure channel protocol
  --i HEX            its option "i"; SCP03: plus 01 for S16
  --key-version HEX  key version number of the first keys
  --key HEX          the three keys at once, 16 bytes (SCP03 also 24 or 32); default 404142…4F
  --key-enc HEX --key-mac HEX --key-dek HEX
                     the three keys one by one
  --atr HEX          answer to reset
  --memory BYTES     free non-volatile memory
  --tries N          wrong authentications that lock the keys for good; 10 by default
  --code DIGITS      identification code, 16 digits; a fresh one by default
  --port N           port of vpcd on this machine; ${VPCD_PORT} by default
  --pcscd            start a pcscd of our own and say how clients find it
  --latency NAME     realistic (as slow as a real card) or none, the default
  --state FILE       keep the card in this file; made when it is not there
  --replay FILE      a card that answers exactly the dialogue in this file, a trace
  --trace FILE       write the dialogue to this file, keys and personal data masked
  --trace-full       mask nothing: for virtual cards only
`;

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const values = read(args);
  const { profile, scp, latency = 'none', port, pcscd = false, trace } = values;
  if (profile !== undefined && !isProfileName(profile))
    throw new UsageError(`There is no profile "${profile}"; there are ${NAMES.join(', ')}.`);
  if (scp !== undefined && scp !== '02' && scp !== '03') throw new UsageError('--scp takes 02 or 03.');
  if (latency !== 'none' && latency !== 'realistic')
    throw new UsageError('--latency takes realistic or none.');
  if (pcscd && port !== undefined)
    throw new UsageError('--port is of a vpcd that runs already; --pcscd starts one with a port of its own.');
  requireReplayAlone(values);
  const full = values['trace-full'] === true;
  if (full && trace === undefined) throw new UsageError('--trace-full needs --trace FILE.');
  const i = byte('--i', values.i, 0x00, 0x7f);
  const keyVersion = byte('--key-version', values['key-version'], 0x01, 0xff);
  const keys = keysOf(values);
  const atr = atrOf(values.atr);
  const memory = decimal('--memory', values.memory, 0, 0x7fffffff);
  const failureLimit = decimal('--tries', values.tries, 1, 0xff);
  const code = values.code;
  if (code !== undefined && !/^\d{16}$/.test(code)) throw new UsageError('--code takes 16 digits.');
  for (const name of ['state', 'replay', 'trace'] as const)
    if (values[name] === '') throw new UsageError(`--${name} takes the name of a file.`);
  return {
    port: decimal('--port', port, 1, 65_535) ?? VPCD_PORT,
    pcscd,
    latency,
    traceFull: full,
    help: values.help === true,
    ...(profile === undefined ? {} : { profile }),
    ...(scp === undefined ? {} : { scp }),
    ...(i === undefined ? {} : { i }),
    ...(keyVersion === undefined ? {} : { keyVersion }),
    ...(keys === undefined ? {} : { keys }),
    ...(atr === undefined ? {} : { atr }),
    ...(memory === undefined ? {} : { memory }),
    ...(failureLimit === undefined ? {} : { failureLimit }),
    ...(code === undefined ? {} : { code }),
    ...(values.state === undefined ? {} : { state: values.state }),
    ...(values.replay === undefined ? {} : { replay: values.replay }),
    ...(trace === undefined ? {} : { trace }),
  };
}

type Values = ReturnType<typeof read>;

/** Beside a dialogue goes only where it is played and written to. */
const WITH_REPLAY: readonly string[] = ['replay', 'port', 'pcscd', 'trace', 'trace-full', 'help'];

function requireReplayAlone(values: Values): void {
  if (values.replay === undefined) return;
  const other = Object.keys(values).find((name) => !WITH_REPLAY.includes(name));
  if (other !== undefined)
    throw new UsageError(`--replay plays the card that was recorded: leave --${other} out.`);
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        profile: { type: 'string' },
        scp: { type: 'string' },
        i: { type: 'string' },
        'key-version': { type: 'string' },
        key: { type: 'string' },
        'key-enc': { type: 'string' },
        'key-mac': { type: 'string' },
        'key-dek': { type: 'string' },
        atr: { type: 'string' },
        memory: { type: 'string' },
        tries: { type: 'string' },
        code: { type: 'string' },
        port: { type: 'string' },
        pcscd: { type: 'boolean' },
        latency: { type: 'string' },
        state: { type: 'string' },
        replay: { type: 'string' },
        trace: { type: 'string' },
        'trace-full': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ')[0] ?? '') : '';
    throw new UsageError(`${reason}; npm run card -- --help tells the options.`);
  }
}

function byte(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^[0-9A-Fa-f]{1,2}$/.test(text) ? Number.parseInt(text, 16) : -1;
  if (value < least || value > most)
    throw new UsageError(`${option} takes one byte in hexadecimal, ${two(least)} to ${two(most)}.`);
  return value;
}

function two(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

function decimal(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : -1;
  if (value < least || value > most)
    throw new UsageError(`${option} takes a number from ${least} to ${most}.`);
  return value;
}

function atrOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const digits = text.replace(/[\s:]/g, '').toUpperCase();
  if (!/^(?:[0-9A-F]{2})+$/.test(digits)) throw new UsageError('--atr takes bytes in hexadecimal.');
  const atr = readAtr(Uint8Array.from(Buffer.from(digits, 'hex')));
  if (typeof atr === 'string') throw new UsageError(`--atr: ${atr}.`);
  return digits;
}

function keysOf(values: Values): Options['keys'] {
  const single = key('--key', values.key);
  const [enc, mac, dek] = (['enc', 'mac', 'dek'] as const).map((name) =>
    key(`--key-${name}`, values[`key-${name}`]),
  );
  const some = [enc, mac, dek].filter((value) => value !== undefined).length;
  if (single !== undefined && some > 0)
    throw new UsageError('--key stands for all three keys: leave --key-enc, --key-mac and --key-dek out.');
  if (single !== undefined) return { enc: single, mac: single, dek: single };
  if (some === 0) return undefined;
  if (enc === undefined || mac === undefined || dek === undefined)
    throw new UsageError('--key-enc, --key-mac and --key-dek are given together.');
  return { enc, mac, dek };
}

/** Never repeats what was given. */
function key(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!/^(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64})$/.test(text))
    throw new UsageError(`${option} takes 16, 24 or 32 bytes in hexadecimal.`);
  return text.toUpperCase();
}
