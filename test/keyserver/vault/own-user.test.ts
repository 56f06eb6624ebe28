/**
 * The vault as a user of its own, for real: three users of the system, the program started as two of them. What the server's user can do without
 * its socket is nothing; through it a card is issued.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startVault } from '../../../app/keyserver/vault/client.ts';
import { tokenFolderOf } from '../../../app/keyserver/vault/softhsm.ts';
import { ENABLE } from '../../support/forwarder.ts';
import { LIMIT, PATIENT } from '../../support/limit.ts';
import { issueOver, openServerSite, SECRET, type Site } from '../../support/site.ts';

const SERVER = 61_002;
const DOOR = 61_004;
const MAIN = fileURLToPath(new URL('../../../app/keyserver/main.ts', import.meta.url));

const NOT_HERE = notHere();
const title = NOT_HERE === undefined ? '' : ` (not tried: ${NOT_HERE})`;

describe.skipIf(NOT_HERE !== undefined)(`the vault as a user of its own${title}`, () => {
  let site: Site;
  let folder: string;
  let socket: string;
  let pin: string;
  let tokens: string;
  let module: string;
  let softhsmConf: string;
  let service: ChildProcess;
  let said = '';

  beforeAll(async () => {
    site = await openServerSite('sqlite');
    folder = site.rig.folder;
    const { token } = site.rig;
    if (!('pinFile' in token.pin) || token.softhsmConf === undefined) throw new Error('another token');
    ({ module, softhsmConf } = token);
    pin = token.pin.pinFile;
    tokens = tokenFolderOf(softhsmConf) ?? '';
    // As /tmp: whoever makes a file in it keeps it. All of it is the server's, but for what is the vault's.
    for (const name of readdirSync(folder)) give(join(folder, name), SERVER, DOOR);
    chmodSync(folder, 0o1777);
    for (const path of [pin, dirname(softhsmConf)]) give(path, VAULT, DOOR);
    socket = join(folder, 'door', 'vault.sock');
    mkdirSync(join(folder, 'door'), { mode: 0o750 });
    chmodSync(join(folder, 'door'), 0o750);
    chownSync(join(folder, 'door'), VAULT, DOOR);
    const file = join(dirname(softhsmConf), 'vault.json');
    const { tokenLabel } = token;
    writeFileSync(
      file,
      JSON.stringify({ socket, module, tokenLabel, pinFile: pin, softhsmConf, demo: true }),
      {
        mode: 0o600,
      },
    );
    give(file, VAULT, DOOR);
    service = spawn(process.execPath, [MAIN, 'vault', '--config', file], {
      uid: VAULT,
      gid: DOOR,
      cwd: '/',
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [service.stdout, service.stderr])
      stream?.on('data', (chunk) => {
        said += String(chunk);
      });
    await vi.waitUntil(() => said.includes('"listening"') || service.exitCode !== null, PATIENT);
    expect(said).toContain('"listening"');
  });
  afterAll(async () => {
    service?.kill('SIGKILL');
    await site?.close();
  });

  test('its socket is for one group, and its folder is closed to others', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    expect(statSync(socket)).toMatchObject({ uid: VAULT, gid: DOOR });
  });

  test.each([
    ['the server’s user', SERVER, DOOR],
    ['a stranger', STRANGER, STRANGER],
  ])('%s reads neither PIN nor token, and cannot open it', (_who, uid, gid) => {
    const paths = [pin, tokens, softhsmConf, ...objects(tokens)];
    const open = `
      for (const path of ${JSON.stringify(paths)})
        try { require('node:fs').openSync(path); console.log('open'); } catch (error) { console.log(error.code); }`;
    expect(new Set(as(uid, gid, open).split('\n'))).toEqual(new Set(['EACCES']));
    expect(new Set(as(VAULT, DOOR, open).split('\n'))).toEqual(new Set(['open']));
    // With the module, a configuration of their own and the right PIN to hand.
    const conf = join(folder, `${uid}.conf`);
    writeFileSync(conf, `directories.tokendir = ${tokens}\nobjectstore.backend = file\n`, { mode: 0o644 });
    const slots = `
      const p11 = new (require(${JSON.stringify(fileURLToPath(new URL('../../../node_modules/pkcs11js', import.meta.url)))}).PKCS11)();
      p11.load(${JSON.stringify(module)});
      p11.C_Initialize();
      console.log(p11.C_GetSlotList(true).map((slot) => p11.C_GetTokenInfo(slot).label.trim()));`;
    expect(as(uid, gid, slots, { SOFTHSM2_CONF: conf })).not.toContain('test');
    // The same program finds it as the vault's user.
    expect(as(VAULT, DOOR, slots, { SOFTHSM2_CONF: conf })).toContain('test');
  });

  test('the server’s user may connect, a stranger may not', () => {
    const dial = `require('node:net').connect(${JSON.stringify(socket)}).on('error', (e) => console.log(e.code)).on('connect', function () { console.log('in'); this.end(); })`;
    expect(as(SERVER, DOOR, dial)).toBe('in');
    expect(as(STRANGER, STRANGER, dial)).toBe('EACCES');
  });

  test('a server of another user issues a card through the socket, is told whose the vault is, and opens no debugger', async () => {
    const server = await site.start(0, site.rig.store, { uid: SERVER, gid: DOOR, socket });
    expect(statSync(`/proc/${server.pid}`).uid).toBe(SERVER);
    // The signal that opens Node's inspector, in a server and a service that were started without the flag against it.
    for (const pid of [server.pid, service.pid ?? 0]) process.kill(pid, 'SIGUSR1');
    const station = await site.station('counter', [server.port]);
    const { outcome } = await issueOver(site, station, ENABLE, 'e-wallet');
    expect(outcome).toMatchObject({ result: 'complete', apps: [{ keyVersions: { mck: 1, mtk: 1 } }] });
    const config = join(folder, 'config-0.json');
    const { status, stdout, stderr } = run(['status', '--config', config], SERVER, DOOR);
    expect(stderr).toBe('');
    expect(stdout).toContain('Vault    a user of its own: this one cannot read the PIN');
    expect(stdout).toContain('app/e-wallet/mck issuer v1');
    expect(stdout).not.toContain('REFUSED');
    expect(status).toBe(0);
    const words = ['keys', 'make', '--config', config, '--key', 'app/e-wallet'];
    const made = run(
      [...words, '--operator', 'custodian', '--reason', 'none at all'],
      SERVER,
      DOOR,
      `${SECRET}\n`,
    );
    expect(made.status).toBe(1);
    expect(made.stderr).toContain('vault make');
    expect(server.log() + said).not.toContain('Debugger listening');
    await server.stop();
  });

  test('answers many at once, and after nonsense; a lost line is opened again', async () => {
    const vault = await startVault({ socket, callTimeoutMs: LIMIT });
    try {
      const clear = new Uint8Array(60_000).fill(7);
      const one = async (n: number) => {
        const sealed = await vault.seal({ clear, context: `many ${n}` });
        expect(await vault.unseal({ sealed, context: `many ${n}` })).toEqual(clear);
      };
      await Promise.all(Array.from({ length: 40 }, (_, n) => one(n)));
      await expect(vault.ask('fmcosCryptogram', {})).rejects.toMatchObject({ fault: 'refused' });
      for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(64, 0xff), Buffer.alloc(12)])
        await nonsense(socket, bytes);
      await one(41);
    } finally {
      await vault.close();
    }
  });

  test('a service that ends is said, and the line finds the next one', async () => {
    const vault = await startVault({ socket, callTimeoutMs: LIMIT });
    try {
      expect((await vault.status()).softwareToken).toBe(true);
      const [, pid] = /"pid":(\d+)/.exec(said) ?? [];
      // The token's process ends; the service starts another one.
      process.kill(Number(pid), 'SIGKILL');
      expect((await vault.status()).token).toBe('test');
    } finally {
      await vault.close();
    }
  });
});

const VAULT = 61_001;
const STRANGER = 61_003;

/** Why it cannot be tried on this machine. */
function notHere(): string | undefined {
  if (process.platform !== 'linux') return 'users of the system are made for this on Linux only';
  if (process.getuid?.() !== 0) return 'only root may start a process as another user';
  return as(SERVER, DOOR, `require('node:fs').readFileSync(${JSON.stringify(MAIN)}); console.log('in')`) ===
    'in'
    ? undefined
    : 'another user cannot read this copy of the program';
}

/** A script as another user; what it says, or its error's code. */
function as(uid: number, gid: number, script: string, env: NodeJS.ProcessEnv = {}): string {
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
    uid,
    gid,
    cwd: '/',
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  return stdout.trim() || (/\bE[A-Z]+\b/.exec(stderr)?.[0] ?? stderr.trim());
}

function run(words: readonly string[], uid: number, gid: number, input = '') {
  return spawnSync(process.execPath, [MAIN, ...words], {
    input,
    uid,
    gid,
    cwd: '/',
    encoding: 'utf8',
    timeout: LIMIT,
  });
}

/** A folder and all in it. */
function give(path: string, uid: number, gid: number): void {
  chownSync(path, uid, gid);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) give(join(path, name), uid, gid);
}

function objects(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}

/** Sends bytes that are no message; resolves when the vault has hung up. */
function nonsense(path: string, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write(bytes));
    socket.on('close', () => resolve());
    socket.on('error', () => undefined);
    // A frame that is only begun is waited for; so the end of it is said here.
    socket.on('connect', () => setImmediate(() => socket.end()));
  });
}
