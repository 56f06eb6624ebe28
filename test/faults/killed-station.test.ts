/** The whole station process is killed in the middle of a job; the next run with the same card goes on with the job. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readCardRecord } from '../../app/keyserver/records/card-record.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import { openSqliteStore } from '../../app/keyserver/store/open.ts';
import { runDemo, startDemo } from '../support/demo-run.ts';

let data: string;
beforeAll(() => {
  data = mkdtempSync(join(tmpdir(), 'kaika-killed-'));
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

it.each([
  ['asking the server', /Signed in/],
  ['loading', /Loading the application/],
  ['writing the maintenance key', /E-wallet: Writing the maintenance key/],
  ['writing the master control key', /E-wallet: Writing the master control key/],
  ['deleting', /Transit: Deleting/],
])('while %s', async (what, line) => {
  const card = join(data, `${what}.json`);
  const run = startDemo(data, ['--headless', '--card', card]);
  await run.told(line);
  run.child.kill('SIGKILL');
  await run.ended;
  const { status, result, stderr } = await runDemo(data, ['--card', card]);
  // Before the request is in the journal there is nothing to go on with, and the second run simply begins.
  if (what !== 'asking the server') expect(stderr).toContain('The work begun on this card goes on');
  expect([status, result.outcome], stderr).toEqual([0, 'complete']);
  const store = await openSqliteStore(join(data, 'demo', 'server', 'kaika.sqlite'));
  try {
    const record = await readCardRecord(
      { store, catalogue: openCatalogue(OWN_RESOURCES) },
      result.card ?? '',
    );
    expect(record.jobs.map((job) => job.result)).toEqual(['complete']);
    expect(record.apps.filter((app) => app.inDoubt)).toEqual([]);
    expect(
      record.apps
        .filter((app) => app.state === 'enabled')
        .map((app) => app.app)
        .sort(),
    ).toEqual(['campus-meal', 'e-wallet', 'identity']);
  } finally {
    await store.destroy();
  }
});
