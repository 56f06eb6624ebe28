// @ts-check
/** Looking at and ending processes by their ids. A process is { pid, start }: ids are used again, starts are not. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fieldOf } from './copy.mjs';

/**
 * @typedef {{ pid: number, start: string }} Identity
 * @typedef {Identity & { parent: number, group: number, state: string }} Entry
 */

/**
 * Fields of /proc/<pid>/stat (proc(5)); the name in parentheses may hold anything, so count from its end.
 * @param {number} pid
 * @returns {Entry | undefined}
 */
function readStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      state: fields[0] ?? '',
      parent: Number(fields[1]),
      group: Number(fields[2]),
      start: fields[19] ?? '',
    };
  } catch {
    return undefined;
  }
}

/** @returns {Entry[]} every process; none on Windows, where taskkill walks the tree */
function list() {
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => readStat(Number(name)) ?? []);
  }
  if (process.platform === 'win32') return [];
  const ps = spawnSync('ps', ['-axo', 'pid=,ppid=,pgid=,state=,lstart='], { encoding: 'utf8' });
  return (ps.stdout ?? '').split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+(.+?)\s*$/.exec(line);
    if (!found) return [];
    const [, pid, parent, group, state = '', start = ''] = found;
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), state, start }];
  });
}

/** @param {number} pid @returns {Omit<Entry, 'parent' | 'group'> | undefined} */
function look(pid) {
  if (process.platform === 'linux') return readStat(pid);
  const entry = list().find((one) => one.pid === pid);
  if (entry || process.platform !== 'win32') return entry;
  try {
    process.kill(pid, 0);
    return { pid, state: 'R', start: 'unknown' };
  } catch (error) {
    return fieldOf(error, 'code') === 'EPERM' ? { pid, state: 'R', start: 'unknown' } : undefined;
  }
}

/** @param {number} pid @returns {Identity | undefined} of a process that is there */
export function identify(pid) {
  const found = look(pid);
  return found && { pid, start: found.start };
}

/**
 * Whether exactly this process is still there and not merely waiting to be reaped.
 * @param {Identity} process
 */
export function isAlive({ pid, start }) {
  const found = look(pid);
  return found !== undefined && found.state !== 'Z' && found.state !== 'X' && found.start === start;
}

/**
 * The process itself, all that descend from it, and all in the group that it leads.
 * @param {number} leader
 * @returns {Identity[]}
 */
export function family(leader) {
  const all = list();
  /** @type {Map<number, Entry>} */
  const found = new Map();
  let before = -1;
  while (found.size > before) {
    before = found.size;
    for (const one of all) {
      if (one.pid === leader || one.group === leader || found.has(one.parent)) found.set(one.pid, one);
    }
  }
  return [...found.values()].map(({ pid, start }) => ({ pid, start }));
}

/**
 * A signal to each of them that is still there; one that is not ours to end is left.
 * @param {Identity[]} victims
 * @param {NodeJS.Signals} signal
 */
export function signalAll(victims, signal) {
  for (const victim of victims) {
    try {
      if (isAlive(victim)) process.kill(victim.pid, signal);
    } catch {
      // Gone in between, or another user's.
    }
  }
}

/** On Windows there are no groups: taskkill walks the tree. @param {number} pid */
export function endTreeOnWindows(pid) {
  spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' });
}

/**
 * Waits until none is alive or the time is over.
 * @param {Identity[]} victims
 * @param {number} milliseconds
 * @returns {Promise<boolean>} whether none is
 */
export async function allGone(victims, milliseconds) {
  const until = Date.now() + milliseconds;
  while (victims.some(isAlive)) {
    if (Date.now() >= until) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}
