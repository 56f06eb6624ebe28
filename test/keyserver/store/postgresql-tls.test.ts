/** PostgreSQL over a network: TLS or nothing, and only with the server that its certificate says it is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../app/keyserver/store/open.ts';
import { makeAuthority, type TestAuthority } from '../../support/certificates.ts';
import { openDatabases } from '../../support/databases.ts';
import { launchPostgresql, NO_POSTGRESQL, type RunningPostgresql } from '../../support/postgresql.ts';

describe.skipIf(NO_POSTGRESQL !== undefined)(`postgresql over TLS${NO_POSTGRESQL ?? ''}`, () => {
  let folder: string;
  let server: RunningPostgresql;
  let authority: TestAuthority;
  let authorities: string;
  let passwordFile: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kaika-pgtls-'));
    authority = await makeAuthority();
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    authorities = write('ca.pem', authority.ca);
    write('other.pem', (await makeAuthority()).ca);
    passwordFile = write('password', `${PASSWORD}\n`);
    write('wrong', 'battery staple\n');
    server = await launchPostgresql({ ...(await authority.issue('localhost')), password: PASSWORD });
  });
  const overTcp = (host: string) => ({
    kind: 'postgresql' as const,
    url: `postgresql://kaika@${host}:${server.port}/postgres`,
    connections: 2,
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('opens, and the line is TLS 1.3', async () => {
    const store = await openStore({ ...overTcp('localhost'), authorities, passwordFile });
    try {
      const { rows } = await sql<{ ssl: boolean; version: string }>`
        select ssl, version from pg_stat_ssl where pid = pg_backend_pid()`.execute(store);
      expect(rows).toEqual([{ ssl: true, version: 'TLSv1.3' }]);
      expect(await store.selectFrom('cards').selectAll().execute()).toEqual([]);
    } finally {
      await store.destroy();
    }
  });

  it.each<[string, string, Record<string, string>, RegExp]>([
    ["another authority's certificate", 'localhost', { authorities: 'other.pem' }, /certificate/],
    ['a certificate for another name', '127.0.0.1', { authorities: 'ca.pem' }, /altnames|does not match/],
    ['a machine that is not this one, by the system’s authorities', '127.0.0.2', {}, /certificate/],
    ['a wrong password', 'localhost', { authorities: 'ca.pem', passwordFile: 'wrong' }, /password/],
  ])('%s is refused', async (_name, host, files, reason) => {
    const at = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, join(folder, file)]));
    const config = { ...overTcp(host), passwordFile, ...at };
    await expect(openStore(config)).rejects.toMatchObject({
      code: 'server-store-failed',
      message: expect.stringMatching(reason),
    });
  });

  it('plain text is not even tried on the way to a certificate, and a server without TLS is refused', async () => {
    // Plain text is taken on the socket only: what the server's own rules say must not matter.
    const plain = await openDatabases();
    try {
      const config = await plain.database();
      await expect(openStore({ ...config, authorities })).rejects.toMatchObject({
        code: 'server-store-failed',
        message: expect.stringMatching(/SSL/),
      });
    } finally {
      await plain.close();
    }
  });
});

const PASSWORD = 'correct horse';
