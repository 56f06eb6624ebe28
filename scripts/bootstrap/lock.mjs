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
import { explainFileError } from './failure.mjs';
import { pause, stopIfInterrupted } from './interruption.mjs';
import { allGone, family, identify, isAlive, signalAll } from './processes.mjs';
import { say } from './say.mjs';

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

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return error.code === 'ENOENT' ? undefined : {};
  }
}

function age(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** Creates the file with its content in one step, or says that there is one. */
function createWhole(path, content) {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, content);
    try {
      linkSync(draft, path);
    } catch (error) {
      // File systems without hard links: not whole in one step, but still only one of two wins.
      if (error.code === 'EEXIST') return false;
      writeFileSync(path, content, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isStale(path, holder) {
  if (holder.host === here() && typeof holder.pid === 'number') return !isAlive(holder);
  return age(path) > SILENT_MS;
}

/** npm goes on when its launcher was killed; apt must be left to finish. */
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

/** Removes a stale lock unless somebody else has just replaced it. */
async function takeOver(path) {
  const mark = `${path}.takeover`;
  if (age(mark) > TAKEOVER_MS) rmSync(mark, { force: true });
  try {
    writeFileSync(mark, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if (error.code === 'EEXIST') return;
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
 * @returns {Promise<{ note(child?: { pid: number, name: string, mayBeEnded: boolean }): void, release(): void }>}
 * @throws {Failure} when the folder cannot be written
 */
export async function acquire(path) {
  const self = { ...identify(process.pid), host: here() };
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
          `Another start${holder.pid ? ` (process ${holder.pid})` : ''} is setting Kaika up; waiting for it.`,
        );
      }
      if (holder) await pause(LOOK_AGAIN_MS);
    }
  } catch (error) {
    throw explainFileError(error, 'taking the lock for setting up');
  }

  const isOurs = () => {
    const holder = read(path);
    return holder?.pid === self.pid && holder?.start === self.start && holder?.host === self.host;
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
