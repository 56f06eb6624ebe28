/** The whole station process is killed in the middle of a job; the next run with the same card goes on with the job. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { demoRecord, runDemo, startDemo } from '../support/demo-run.ts';
import { sharedFolder } from '../support/folders.ts';

const data = sharedFolder('killed');

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
  const record = await demoRecord(data, result.card ?? '');
  expect(record.jobs.map((job) => job.result)).toEqual(['complete']);
  expect(record.apps.filter((app) => app.inDoubt)).toEqual([]);
  expect(
    record.apps
      .filter((app) => app.state === 'enabled')
      .map((app) => app.app)
      .sort(),
  ).toEqual(['campus-meal', 'e-wallet', 'identity']);
});
