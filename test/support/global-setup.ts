/**
 * Once for a run: a folder for what its test files have in common, and one PostgreSQL for all that want one, started when the first of
 * them asks. Both end with the run.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DATABASES_SOCKET } from './databases.ts';
import { RUN_FOLDER } from './demo-token.ts';
import { launchPostgresql, NO_POSTGRESQL, type RunningPostgresql } from './postgresql.ts';
import { scratchFolder } from './temporary.ts';

export default async function setup(): Promise<() => Promise<void>> {
  // Each project of the run asks for it.
  if (process.env[RUN_FOLDER] !== undefined) return async () => undefined;
  const folder = scratchFolder('kaika-run-');
  process.env[RUN_FOLDER] = folder;
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (NO_POSTGRESQL !== undefined) return async () => remove();
  let running: Promise<RunningPostgresql> | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    running ??= launchPostgresql();
    running.then(
      ({ folder: at, port }) => socket.end(JSON.stringify({ folder: at, port })),
      (error: unknown) => socket.end(JSON.stringify({ failed: String(error) })),
    );
  });
  const path = join(folder, 'databases');
  server.listen(path);
  await once(server, 'listening');
  process.env[DATABASES_SOCKET] = path;
  return async () => {
    server.close();
    await running?.then(({ stop }) => stop());
    remove();
  };
}
