// @ts-check
/**
 * One set-up at a time for a copy of Kaika. The lock is a file that names its holder and the child that it runs, so
 * that a lock left behind is known as such, and a child left behind is ended before another one starts.
 */
import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { fieldOf } from './copy.mjs';
import { explainFileError } from './failure.mjs';
import { pause, stopIfInterrupted } from './interruption.mjs';
import { allGone, family, identify, isAlive, signalAll } from './processes.mjs';
import { say } from './say.mjs';

/**
 * @typedef {{ pid: number, name: string, mayBeEnded: boolean }} Child a tool that runs under the lock
 * @typedef {import('./processes.mjs').Identity} Identity
 * @typedef {{ host?: unknown, process?: Identity, child?: Child & Identity }} Holder as the file says; {} where it cannot be read
 * @typedef {{ note(child: Child | undefined): void, release(): void }} Lock
 */

const HEARTBEAT_MS = 5_000;
/** Of a holder on another machine or in another container only its silence can be seen. */
const SILENT_MS = 60_000;
const LOOK_AGAIN_MS = 200;
/** Taking over takes microseconds; a mark older than this was left by a process that died doing it. */
const TAKEOVER_MS = 10_000;

/** Process ids mean something only on this machine and in this process namespace. */
function here() {
  try {
    return `${hostname()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** @param {unknown} value @returns {Identity | undefined} */
function identityIn(value) {
  const pid = fieldOf(value, 'pid');
  const start = fieldOf(value, 'start');
  return typeof pid === 'number' && typeof start === 'string' ? { pid, start } : undefined;
}

/** @param {string} path @returns {Holder | undefined} undefined: nobody holds it */
function read(path) {
  try {
    /** @type {unknown} */
    const content = JSON.parse(readFileSync(path, 'utf8'));
    const child = fieldOf(content, 'child');
    const self = identityIn(content);
    const started = identityIn(child);
    const name = String(fieldOf(child, 'name'));
    const mayBeEnded = fieldOf(child, 'mayBeEnded') === true;
    return {
      host: fieldOf(content, 'host'),
      ...(self ? { process: self } : {}),
      ...(started ? { child: { ...started, name, mayBeEnded } } : {}),
    };
  } catch (error) {
    return fieldOf(error, 'code') === 'ENOENT' ? undefined : {};
  }
}

/** @param {string} path @returns {number} milliseconds since it was last touched, 0 when it is not there */
function age(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? Date.now() - stat.mtimeMs : 0;
}

/** @param {string} path @param {string} content @returns {boolean} false: there is one already */
function createWhole(path, content) {
  const draft = `${path}.${process.pid}`;
  try {
    // A link appears with its content, or not at all; a file that is written can be seen while it is still empty.
    writeFileSync(draft, content);
    try {
      linkSync(draft, path);
    } catch (error) {
      if (fieldOf(error, 'code') === 'EEXIST') return false;
      // A file system without hard links: still only one of two wins.
      writeFileSync(path, content, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (fieldOf(error, 'code') === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @param {string} path @param {Holder} holder */
function isStale(path, holder) {
  if (holder.host === here() && holder.process) return !isAlive(holder.process);
  return age(path) > SILENT_MS;
}

/** npm goes on when its launcher was killed; apt must be left to finish. @param {Holder['child']} child */
async function settleOrphan(child) {
  if (!child || !isAlive(child)) return;
  if (child.mayBeEnded) {
    const orphans = family(child.pid);
    signalAll(orphans, 'SIGKILL');
    await allGone(orphans, 5_000);
    return;
  }
  say(`Waiting for ${child.name}, which an earlier start left running.`);
  while (isAlive(child)) {
    await pause(LOOK_AGAIN_MS);
    stopIfInterrupted();
  }
}

/** Removes a stale lock unless somebody else has just replaced it. @param {string} path */
async function takeOver(path) {
  const mark = `${path}.takeover`;
  if (age(mark) > TAKEOVER_MS) rmSync(mark, { force: true });
  try {
    writeFileSync(mark, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (fieldOf(error, 'code') === 'EEXIST') return;
    throw error;
  }
  try {
    const holder = read(path);
    if (!holder || !isStale(path, holder)) return;
    await settleOrphan(holder.host === here() ? holder.child : undefined);
    rmSync(path, { force: true });
    say('An earlier start ended before it was done; going on from there.');
  } finally {
    rmSync(mark, { force: true });
  }
}

/**
 * Waits for the lock and takes it.
 * @param {string} path the lock's file; its folder is made
 * @returns {Promise<Lock>}
 * @throws {import('./failure.mjs').Failure} when the folder cannot be written
 */
export async function acquire(path) {
  const self = { pid: process.pid, start: '', ...identify(process.pid), host: here() };
  let told = false;
  try {
    mkdirSync(dirname(path), { recursive: true });
    while (!createWhole(path, JSON.stringify(self))) {
      stopIfInterrupted();
      const holder = read(path);
      if (holder && isStale(path, holder)) {
        await takeOver(path);
      } else if (holder && !told) {
        told = true;
        say(
          `Another start${holder.process ? ` (process ${holder.process.pid})` : ''} is setting Kaika up; waiting for it.`,
        );
      }
      if (holder) await pause(LOOK_AGAIN_MS);
    }
  } catch (error) {
    throw explainFileError(error, 'taking the lock for setting up');
  }

  const isOurs = () => {
    const holder = read(path);
    return (
      holder?.host === self.host && holder.process?.pid === self.pid && holder.process.start === self.start
    );
  };
  const heartbeat = setInterval(() => {
    try {
      utimesSync(path, new Date(), new Date());
    } catch {
      // Somebody removed the lock; releasing it will notice.
    }
  }, HEARTBEAT_MS);
  heartbeat.unref();
  const release = () => {
    clearInterval(heartbeat);
    process.off('exit', release);
    if (isOurs()) rmSync(path, { force: true });
  };
  process.on('exit', release);

  return {
    note(child) {
      if (!isOurs()) return;
      const identified = child && { ...child, ...identify(child.pid) };
      try {
        writeFileSync(`${path}.${process.pid}`, JSON.stringify({ ...self, child: identified }));
        renameSync(`${path}.${process.pid}`, path);
      } catch {
        // Only a help for whoever comes after a kill; a full disk shows elsewhere.
        rmSync(`${path}.${process.pid}`, { force: true });
      }
    },
    release,
  };
}
