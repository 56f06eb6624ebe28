/**
 * The memory of another process, read through /proc/<pid>/mem as root: all that a core dump would hold (its writable pages) and without what
 * one needs, a package (gdb), a core_pattern that is the machine's, the end of the process. Linux.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Whether this test may read another process's memory. */
export const READS_MEMORY = process.platform === 'linux' && process.getuid?.() === 0;

/** Why not, for the name of what is skipped then. */
export const UNREAD = READS_MEMORY
  ? ''
  : ' (not tried: only root on Linux reads the memory of another process)';

/** Bytes of a page on this machine. */
const pageSize = (): number => Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));

const LARGEST = 1 << 26;
/** Parts overlap by as much as the longest thing that is looked for. */
const OVERLAP = 256;
/** Bytes of an entry of /proc/<pid>/pagemap, and the bits of its upper half that say that the page is somewhere: in memory, or swapped out. */
const ENTRY = 8;
const SOMEWHERE = 0xc000_0000;

/**
 * Every writable mapping, in parts, without the pages that were never touched: those are most of a process's, and nothing of it is in them (a
 * core dump leaves them out as well).
 */
export function* writableMemory(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pages = openSync(`/proc/${pid}/pagemap`, 'r');
  const page = pageSize();
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      const [start, end] = [Number.parseInt(from ?? '0', 16), Number.parseInt(to ?? '0', 16)];
      for (const run of touched(pages, page, start, end)) yield* partsOf(memory, run.start, run.end);
    }
  } finally {
    closeSync(pages);
    closeSync(memory);
  }
}

/** The parts of a mapping that the process has written or read. */
function* touched(
  pages: number,
  page: number,
  start: number,
  end: number,
): Generator<{ start: number; end: number }> {
  const entries = Buffer.alloc(((end - start) / page) * ENTRY);
  const read = readSync(pages, entries, 0, entries.length, (start / page) * ENTRY);
  if (read !== entries.length) throw new Error('the list of pages is cut off');
  let begun: number | undefined;
  for (let at = start; at <= end; at += page) {
    const upper = at === end ? 0 : entries.readUInt32LE(((at - start) / page) * ENTRY + 4);
    const there = (upper & SOMEWHERE) !== 0;
    if (there) begun ??= at;
    else if (begun !== undefined) {
      yield { start: begun, end: at };
      begun = undefined;
    }
  }
}

function* partsOf(memory: number, start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; at += LARGEST) {
    const part = Buffer.alloc(Math.min(end - at, LARGEST + OVERLAP));
    try {
      const read = readSync(memory, part, 0, part.length, at);
      yield part.subarray(0, read);
    } catch {
      return; // Kernel pages that nobody may read.
    }
  }
}
