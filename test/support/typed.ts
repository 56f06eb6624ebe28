/** The key server's program as somebody at its terminal runs it: words, and lines of standard input. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LIMIT } from './limit.ts';

const MAIN = fileURLToPath(new URL('../../app/keyserver/main.ts', import.meta.url));

const run = promisify(execFile);

/** Rejects with `code`, `stdout` and `stderr` for a status other than 0. */
export function typed(
  config: string,
  words: readonly string[],
  lines: readonly string[] = [],
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const running = run(process.execPath, [MAIN, ...words, '--config', config], { timeout: LIMIT });
  // A command that was refused before it read them has closed its end.
  running.child.stdin?.on('error', () => undefined).end(lines.map((line) => `${line}\n`).join(''));
  return running;
}
