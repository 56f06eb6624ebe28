/** `npm run card` as a person runs it, without npm around it, and tools that look at the card through its pcscd. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../app/simulator/cli/main.ts', import.meta.url));
/** The last line of those that say that the card can be used. */
const READY = 'Ctrl-C takes it out.';

/** How a program ended, and all it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly output: string;
}

/** A card in a reader. */
export interface RunningCard {
  /** What it said when it was ready. */
  readonly said: string;
  /** For the tools' environment; empty where the card joined a vpcd that ran already. */
  readonly socketPath: string;
  /** Takes the card out, as Ctrl-C does. */
  stop(): Promise<Ended>;
  /** Resolves when the program ends by itself. */
  readonly ended: Promise<Ended>;
}

/** Runs the program to its end; for command lines that are refused. */
export function endedCard(...args: string[]): Promise<Ended> {
  return started(args).ended;
}

/**
 * Starts a card, and gives it when it says that it can be used.
 * @throws Error with what it wrote, when it ends before
 */
export async function startCard(...args: string[]): Promise<RunningCard> {
  const card = started(args);
  await Promise.race([card.ready, card.ended]);
  const said = card.output();
  if (!said.includes(READY)) throw new Error(said);
  return {
    said,
    socketPath: /PCSCLITE_CSOCK_NAME=(.*)/.exec(said)?.[1] ?? '',
    ended: card.ended,
    stop: () => {
      card.interrupt();
      return card.ended;
    },
  };
}

function started(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let announce = () => {};
  const ready = new Promise<void>((resolve) => {
    announce = resolve;
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.includes(READY)) announce();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
  return { ready, ended, output: () => output, interrupt: () => child.kill('SIGINT') };
}

/** How a tool ended, and what it wrote to either stream. */
export interface ToolEnded extends Ended {
  readonly errors: string;
}

/** Runs a tool on the card; `input` goes to its standard input. Rejects when there is no such tool. */
export function runTool(
  { socketPath }: Pick<RunningCard, 'socketPath'>,
  command: readonly string[],
  input = '',
): Promise<ToolEnded> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, LC_ALL: 'C', PCSCLITE_CSOCK_NAME: socketPath },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text;
    });
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output, errors }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Whether a program is installed. */
export function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}
