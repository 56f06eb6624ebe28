/** One story with Chromium's own sandbox on, as a user without rights: as on a branch's computer. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Routes } from './routes/index.ts';
import { theElectron } from './support/electron.ts';
import { childrenOf, commandOf } from './support/processes.ts';
import { dataFolder, openStage } from './support/stage.ts';
import { openWindow } from './support/window.ts';

const data = dataFolder();
afterAll(() => data.remove());

/** Only root can become somebody else; anybody else is without rights already. */
const isRoot = process.getuid?.() === 0;

it.runIf(process.platform === 'linux')('issues a card in Chromium’s sandbox', async () => {
  const stage = await openStage(data.folder);
  const window = await openWindow({
    story: 'in the sandbox',
    station: stage.station,
    sandboxed: true,
    ...(isRoot ? asUser(data.folder) : {}),
  });
  try {
    const routes = new Routes(window, stage);
    await routes.entrance.signIn();
    await routes.choose.cardIsRead();
    await routes.choose.typeAccount();
    await routes.choose.tick('E-wallet');
    await routes.choose.review();
    await routes.plan.start();
    await routes.end.takesCard();
    await window.look('done-sandboxed');

    const family = [window.pid, ...childrenOf(window.pid)];
    const users = family.map(
      (pid) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1],
    );
    expect(new Set(users)).toEqual(new Set([String(isRoot ? USER : process.getuid?.())]));
    expect(family.filter((pid) => commandOf(pid).includes('--no-sandbox'))).toEqual([]);
    // The kernel's own word: the page's process filters its system calls and is in a process namespace of its own.
    const page = family.find((pid) => commandOf(pid).includes('--type=renderer')) ?? 0;
    expect(readFileSync(`/proc/${page}/status`, 'utf8')).toMatch(/^Seccomp:\s+2$/m);
    expect(
      /^NSpid:(.*)$/m
        .exec(readFileSync(`/proc/${page}/status`, 'utf8'))?.[1]
        ?.trim()
        .split(/\s+/).length,
    ).toBeGreaterThan(1);
  } finally {
    await window.close();
    await stage.close();
  }
  expect(window.complaints).toEqual([]);
});

/** A program that becomes the user and starts an Electron which the user can read; the data become the user's. */
function asUser(folder: string): { executable: string; home: string } {
  const electron = join(folder, 'electron');
  const from = theElectron().folder;
  try {
    execFileSync('cp', ['-al', from, electron]);
  } catch {
    execFileSync('cp', ['-a', from, electron]);
  }
  const home = join(folder, 'home');
  mkdirSync(home);
  const executable = join(folder, 'electron-as-user');
  writeFileSync(
    executable,
    `#!/bin/sh\nexec setpriv --reuid=${USER} --regid=${USER} --clear-groups '${join(electron, 'electron')}' "$@"\n`,
  );
  chmodSync(executable, 0o755);
  chmodSync(folder, 0o755);
  // Electron's files are left out: they are hard links, and the cache's own would change hands with them.
  for (const name of ['demo', 'home']) execFileSync('chown', ['-R', `${USER}:${USER}`, join(folder, name)]);
  return { executable, home };
}

/** A user that no system gives to anybody. */
const USER = 61_501;
