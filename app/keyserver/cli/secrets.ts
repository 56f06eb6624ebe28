/**
 * Secrets of those who answer for a command: standard input, a line each in the order in which they are asked for, so that no list of processes shows
 * them. At a terminal each is asked for by name, and not shown while it is typed; one that is new is asked for twice.
 */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { ConfigError } from '../config.ts';

/** `names`: whose secrets, as they are asked for at a terminal. @throws ConfigError for a line that is missing or empty */
export async function readSecrets<const Names extends readonly string[]>(
  names: Names,
  kind: 'all are known' | 'the last is new' = 'all are known',
): Promise<{ readonly [At in keyof Names]: string }> {
  const lines = process.stdin.isTTY ? await ask(names, kind) : await readLines(names.length);
  const missing = names.find((_name, at) => (lines[at] ?? '') === '');
  if (missing !== undefined)
    throw new ConfigError(
      `${missing}: there is no such line in standard input. It holds a line for each: ${names.join('; ')}.`,
    );
  return lines as unknown as { readonly [At in keyof Names]: string };
}

async function readLines(count: number): Promise<string[]> {
  const lines: string[] = [];
  const input = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of input) {
    lines.push(line);
    if (lines.length === count) break;
  }
  input.close();
  return lines;
}

/** The questions go to standard error: what a command prints may be read by another program. */
async function ask(names: readonly string[], kind: 'all are known' | 'the last is new'): Promise<string[]> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const input = createInterface({ input: process.stdin, output: nowhere, terminal: true, historySize: 0 });
  const next = linesOf(input);
  const question = async (name: string) => {
    process.stderr.write(`${name}: `);
    const line = await next();
    process.stderr.write('\n');
    return line;
  };
  try {
    const lines: string[] = [];
    for (const name of names) lines.push(await question(name));
    const last = names.at(-1);
    if (kind === 'the last is new' && (await question(`${last}, again`)) !== lines.at(-1))
      throw new ConfigError('The two are not the same; nothing was done.');
    return lines;
  } finally {
    input.close();
  }
}

/** Lines as they are typed, or pasted together before they are asked for. */
function linesOf(input: Interface): () => Promise<string> {
  const early: string[] = [];
  const waiting: { readonly take: (line: string) => void; readonly stop: () => void }[] = [];
  let closed = false;
  input.on('line', (line) => {
    const first = waiting.shift();
    if (first === undefined) early.push(line);
    else first.take(line);
  });
  input.on('close', () => {
    closed = true;
    for (const one of waiting.splice(0)) one.stop();
  });
  return () =>
    new Promise((take, reject) => {
      const stop = () => reject(new ConfigError('\nStopped; nothing was done.'));
      const line = early.shift();
      if (line !== undefined) take(line);
      else if (closed) stop();
      else waiting.push({ take, stop });
    });
}
