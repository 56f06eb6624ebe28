/** Two starts at once, and locks that were left behind. */
import { readlinkSync, rmSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshCopy, isRunning } from './fake-copy.ts';

const copy = freshCopy();

test('of several starts at once one sets up, the others wait, say so, and all run the program', async () => {
  copy.mode('npm', 'slow');
  const all = await Promise.all([1, 2, 3, 4].map(() => copy.run(['server'])));
  for (const one of all) expect(one).toMatchObject({ status: 0, stdout: 'the program \n' });
  expect(copy.calls('npm')).toHaveLength(1);
  expect(
    all.filter(({ stderr }) => /^Another start \(process \d+\) is setting Kaika up/m.test(stderr)),
  ).toHaveLength(3);
  expect(copy.has(LOCK)).toBe(false);
});

test('the lock is not held while the program runs', async () => {
  copy.program(`console.log('running'); setTimeout(() => {}, 60_000);`);
  const first = copy.start(['server']);
  await first.said('running');
  expect(copy.has(LOCK)).toBe(false);
  first.child.kill('SIGTERM');
  expect((await first.ended).status).toBe(143);
});

test('a start that is killed half-way: its npm is ended and the next start sets up', async () => {
  copy.mode('npm', 'hangs', 'works');
  const first = copy.start(['server']);
  await expect.poll(() => copy.pids().length).toBe(2);
  first.child.kill('SIGKILL');
  await first.ended;
  expect(copy.has(LOCK)).toBe(true);
  expect(copy.pids().map(isRunning)).toEqual([true, true]);

  const second = await copy.run(['server']);
  expect(second).toMatchObject({ status: 0, stdout: 'the program \n' });
  expect(second.stderr).toContain('An earlier start ended before it was done');
  expect(copy.pids().map(isRunning)).toEqual([false, false]);
});

/** As the lock names this machine: process ids mean something in one process namespace only. */
const here = `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;

test.each([
  // Process 1 is always there, but did not start when this says.
  ['whose process id now belongs to another process', JSON.stringify({ pid: 1, start: '-1', host: here })],
  ['whose process is gone', JSON.stringify({ pid: 2 ** 22 + 1, start: '1', host: here })],
])('a lock %s is taken over at once', async (_, content) => {
  copy.write(LOCK, content);
  const { status, stdout, stderr } = await copy.run(['server']);
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'the program \n' });
  expect(stderr).not.toContain('waiting for it');
});

test.each([
  ['of another machine', JSON.stringify({ pid: 1, start: '0', host: 'another machine' })],
  ['that is empty, from a power cut,', ''],
])('a lock %s is taken over once it has been silent for long', async (_, content) => {
  copy.write(LOCK, content);
  utimesSync(join(copy.root, LOCK), 1, 1);
  expect(await copy.run(['server'])).toMatchObject({ status: 0, stdout: 'the program \n' });
});

test('a stale lock that many starts find at once is taken over by one', async () => {
  copy.mode('npm', 'slow');
  copy.write(LOCK, JSON.stringify({ pid: 1, start: '-1', host: here }));
  const all = await Promise.all([1, 2, 3, 4].map(() => copy.run(['server'])));
  for (const one of all) expect(one.status).toBe(0);
  expect(copy.calls('npm')).toHaveLength(1);
});

test('a lock that is held is respected until it is released', async () => {
  copy.write(LOCK, JSON.stringify({ pid: 1, start: '0', host: 'another machine' }));
  const start = copy.start(['server']);
  await start.said('Another start (process 1) is setting Kaika up; waiting for it.');
  expect(copy.calls('npm')).toHaveLength(0);
  rmSync(join(copy.root, LOCK));
  expect((await start.ended).status).toBe(0);
});

const LOCK = 'scripts/.state/lock';
