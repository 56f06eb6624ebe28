/** A server process as its administrator meets it: figures, readiness, the interface's description, stopping, commands. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { makeAuthority } from '../../../app/demo/pki.ts';
import { ENDPOINTS } from '../../../app/keyserver/api/endpoints.ts';
import { openApiDocument } from '../../../app/keyserver/api/openapi.ts';
import { Metrics } from '../../../app/keyserver/operations/metrics.ts';
import { LIMIT } from '../../support/limit.ts';
import { writeOperator } from '../../support/operators.ts';
import { issueOver, openServerSite, SECRET, type ServerInstance, type Site } from '../../support/site.ts';
import { typed } from '../../support/typed.ts';

let site: Site;
let server: ServerInstance;
beforeAll(async () => {
  site = await openServerSite('sqlite');
  server = await site.start();
});
afterAll(() => site?.close());

describe('a running server', () => {
  it('counts jobs, steps, HSM calls and errors, and names no card', async () => {
    const station = await site.station('counted', [server.port]);
    const { identification, account } = await issueOver(
      site,
      station,
      [{ app: 'e-wallet', action: 'enable' }],
      'e-wallet',
    );
    await expect(station.client.card('99999999', station.token)).rejects.toMatchObject({ code: 'not-found' });
    const text = await (await ask('/metrics')).text();
    expect(text).toMatch(/^kaika_jobs_started_total 1$/m);
    expect(text).toMatch(/^kaika_jobs_total\{result="complete"\} 1$/m);
    expect(text).toMatch(/^kaika_steps_total 4$/m);
    expect(text).toMatch(/^kaika_job_trips_total 5$/m);
    expect(text).toMatch(/^kaika_hsm_calls_total\{op="fmcosKeyWrite",end="ok"\} 2$/m);
    expect(text).toMatch(/^kaika_hsm_waiting 0$/m);
    expect(text).toMatch(/^kaika_hsm_seconds_count\{op="seal"\} 8$/m);
    expect(text).toMatch(/^kaika_errors_total\{code="not-found"\} 1$/m);
    expect(text).toMatch(/^kaika_vault_processes_total\{kind="started"\} 1$/m);
    for (const secret of [identification, account, 'counted', station.token])
      expect(text).not.toContain(secret);
    // Every line is one that Prometheus reads.
    for (const line of text.split('\n').filter((one) => one !== ''))
      expect(line).toMatch(
        /^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+-]+)$/,
      );
  });

  it('is ready while store and token are there, and says what its vault does', async () => {
    expect((await ask('/health')).status).toBe(200);
    expect(await (await ask('/ready')).json()).toEqual({
      ready: true,
      store: true,
      hsm: true,
      stopping: false,
    });
    expect((await ask('/elsewhere')).status).toBe(404);
    expect(server.log()).toMatch(/"event":"vault-started","pid":\d+,?/);
  });

  it('takes its commands beside it, and stops by itself when told, with status 0', async () => {
    const backup = join(site.rig.folder, 'a.backup');
    expect((await command('backup', '--to', backup)).stderr).toMatch(/rows are in/);
    expect(existsSync(backup)).toBe(true);
    const { store } = site.rig.context;
    const rows = await store.selectFrom('audit').selectAll().where('kind', '=', 'backup').execute();
    expect(rows.map(({ detail }): unknown => JSON.parse(detail))).toEqual([
      { by: userInfo().username, file: 'a.backup' },
    ]);
    await writeOperator(store, { id: 'admin', name: 'admin', secret: SECRET, role: 'site-admin' });
    expect((await command('init')).stdout).toMatch(/ok {7}vault/);
    expect((await command('status')).stdout).toMatch(/Store {4}sqlite, generation 1/);
    await expect(
      command('release', '--card', '1', '--operator', 'clerk', '--reason', 'none'),
    ).rejects.toMatchObject({ code: 1 });
    await expect(command('restore', '--from', backup)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not empty'),
    });
    expect(await server.stop()).toBe(0);
    expect(server.log()).toContain('"event":"stopping"');
  });

  it('ends by itself, with a sentence, when its key is not that of its certificate', async () => {
    const other = await (await makeAuthority('Another')).issue({ name: 'localhost', use: 'server' });
    writeFileSync(join(site.rig.folder, 'other.key'), other.key, { mode: 0o600 });
    const config = z
      .looseObject({ tls: z.looseObject({}) })
      .parse(JSON.parse(readFileSync(site.config, 'utf8')));
    const file = join(site.rig.folder, 'mismatch.json');
    writeFileSync(file, JSON.stringify({ ...config, tls: { ...config.tls, key: 'other.key' } }));
    await expect(
      run(process.execPath, [MAIN, 'serve', '--config', file], { timeout: LIMIT }),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The key server could not do it: .*key values mismatch$/m),
    });
  });

  it('writes where a fault was that nothing caught, but not what it said, and ends with status 70', async () => {
    const plant = `process.on('SIGUSR2', () => { throw new TypeError('6217001234567890'); });`;
    const child = spawn(
      process.execPath,
      [
        '--import',
        `data:text/javascript,${encodeURIComponent(plant)}`,
        MAIN,
        'serve',
        '--config',
        site.config,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT, killSignal: 'SIGKILL' },
    );
    let log = '';
    child.stderr.on('data', (part: Buffer) => {
      log += part.toString();
    });
    const ended = once(child, 'close');
    // Its one line on standard output: it listens.
    await once(child.stdout, 'data');
    child.kill('SIGUSR2');
    expect(await ended).toEqual([70, null]);
    const line: unknown = JSON.parse(log.split('\n').find((one) => one.includes('"event":"fault"')) ?? '{}');
    expect(line).toMatchObject({ level: 'error', event: 'fault', reason: 'TypeError' });
    expect(line).toHaveProperty('stack.0', expect.stringMatching(/^at /));
    expect(log).not.toContain('6217001234567890');
  });

  it('init writes a first configuration once', async () => {
    const file = join(site.rig.folder, 'first.json');
    await run(process.execPath, [MAIN, 'init', '--config', file], { timeout: LIMIT });
    const first = readFileSync(file, 'utf8');
    await expect(
      run(process.execPath, [MAIN, 'init', '--config', file], { timeout: LIMIT }),
    ).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/missing {2}tls/),
    });
    expect(readFileSync(file, 'utf8')).toBe(first);
    rmSync(join(site.rig.folder, 'data'), { recursive: true, force: true });
  });
});

describe('the OpenAPI document', () => {
  it('describes bodies as the schemas have them, and is JSON', () => {
    const text = JSON.stringify(openApiDocument(ENDPOINTS));
    for (const field of ['requestId', 'stoppedAt', 'cardEpoch', 'plannedTrips', 'too-many-attempts'])
      expect(text).toContain(`"${field}"`);
  });
});

describe('metrics', () => {
  it('put a duration into every bucket that holds it', async () => {
    const metrics = new Metrics();
    metrics.observe('kaika_hsm_seconds', 0.02, { op: 'mac' });
    const lines = (await metrics.text()).split('\n');
    expect(lines).toContain('kaika_hsm_seconds_bucket{le="0.01",op="mac"} 0');
    expect(lines).toContain('kaika_hsm_seconds_bucket{le="0.03",op="mac"} 1');
    expect(lines).toContain('kaika_hsm_seconds_bucket{le="+Inf",op="mac"} 1');
  });
});

const run = promisify(execFile);

const MAIN = fileURLToPath(new URL('../../../app/keyserver/main.ts', import.meta.url));

const ask = (path: string) => fetch(`http://127.0.0.1:${server.operationsPort}${path}`);

const command = (...words: string[]) => typed(site.config, words, [SECRET]);
