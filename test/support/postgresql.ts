/**
 * Debian's PostgreSQL, started by hand: data in a temporary folder, a Unix socket and nothing else unless a test wants TLS,
 * ended by its process id. Started by root it runs as another user, because it refuses to run as root.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { LIMIT } from './limit.ts';
import { scratchFolder } from './temporary.ts';

/** PEM; with it PostgreSQL listens on 127.0.0.1 and takes nothing but TLS there, with the password. */
export interface PostgresqlTls {
  readonly cert: string;
  readonly key: string;
  readonly password: string;
}

function findBin(): string | undefined {
  const places = ['/usr/lib/postgresql', '/usr/pgsql'].flatMap((parent) =>
    existsSync(parent)
      ? readdirSync(parent)
          .sort((a, b) => Number(b) - Number(a))
          .map((version) => join(parent, version, 'bin'))
      : [],
  );
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...places, ...onPath].find((folder) =>
    ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))),
  );
}

/** Another user for root's PostgreSQL; undefined when we are somebody ordinary. */
function otherUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (which: string) =>
        Number(execFileSync('id', [which, name], { encoding: 'utf8', stdio: 'pipe' }));
      return { uid: id('-u'), gid: id('-g') };
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Why there is no PostgreSQL to test with; undefined when there is one. */
export const NO_POSTGRESQL: string | undefined =
  process.platform === 'win32'
    ? 'not tried on Windows'
    : findBin() === undefined
      ? 'PostgreSQL is not installed on this machine (on Debian: postgresql)'
      : undefined;

/** A PostgreSQL that runs: the folder of its socket, and its port. The user is `kaika`, without a password on the socket. */
export interface RunningPostgresql {
  readonly folder: string;
  readonly port: number;
  stop(): Promise<void>;
}

export async function launchPostgresql(tls?: PostgresqlTls): Promise<RunningPostgresql> {
  const bin = findBin();
  if (bin === undefined) throw new Error(NO_POSTGRESQL);
  const user = otherUser();
  // Short: a Unix socket's path has 107 bytes at most.
  const folder = scratchFolder('kaika-pg-');
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  chmodSync(folder, 0o755);
  if (user !== undefined) for (const path of [folder, data]) chownSync(path, user.uid, user.gid);
  const as = { cwd: folder, ...user, env: { PATH: process.env['PATH'], LC_ALL: 'C' } };
  execFileSync(
    join(bin, 'initdb'),
    [
      '--pgdata',
      data,
      '--username',
      'kaika',
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--locale',
      'C',
      '--no-sync',
    ],
    { ...as, stdio: 'pipe', timeout: LIMIT },
  );
  const port = tls === undefined ? 5432 : await freePort();
  const settings = [
    `port=${port}`,
    `listen_addresses=${tls === undefined ? '' : '127.0.0.1,127.0.0.2'}`,
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'shared_buffers=16MB',
    ...(tls === undefined ? [] : withTls(folder, data, tls, user)),
  ];
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((one) => ['-c', one])], {
    ...as,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (part: Buffer) => {
    errors = (errors + part.toString()).slice(-4_000);
  });
  const client = await connected({ folder, port }, child, () => errors);
  if (tls !== undefined) await client.query(`alter user kaika password '${tls.password}'`);
  await client.end();
  return {
    folder,
    port,
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Settings for TLS; certificate and key go into `folder`. */
function withTls(
  folder: string,
  data: string,
  { cert, key }: PostgresqlTls,
  user: { uid: number; gid: number } | undefined,
): string[] {
  const files = { 'server.pem': cert, 'server.key': key };
  for (const [name, pem] of Object.entries(files)) {
    writeFileSync(join(folder, name), pem, { mode: 0o600 });
    if (user !== undefined) chownSync(join(folder, name), user.uid, user.gid);
  }
  writeFileSync(
    join(data, 'pg_hba.conf'),
    'local all all trust\nhostssl all all 127.0.0.0/8 scram-sha-256\n',
  );
  return [
    'ssl=on',
    `ssl_cert_file=${join(folder, 'server.pem')}`,
    `ssl_key_file=${join(folder, 'server.key')}`,
  ];
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('no free port');
  return address.port;
}

async function connected(
  { folder, port }: { readonly folder: string; readonly port: number },
  child: ChildProcess,
  errors: () => string,
): Promise<Client> {
  const until = Date.now() + LIMIT;
  for (;;) {
    const client = new Client({ host: folder, port, user: 'kaika', database: 'postgres' });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return client;
    } catch {
      await client.end().catch(() => undefined);
      if (child.exitCode !== null || Date.now() > until) {
        await end(child);
        throw new Error(`PostgreSQL did not start: ${errors()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Fast shutdown, then the hard way. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), LIMIT);
  await gone;
  clearTimeout(timer);
}
