/**
 * The memory of another process, read through /proc/<pid>/mem as root: all that a core dump would hold (its writable pages) and without what
 * one needs, a package (gdb), a core_pattern that is the machine's, the end of the process. Linux.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Whether this test may read another process's memory. */
export const READS_MEMORY = process.platform === 'linux' && process.getuid?.() === 0;

const LARGEST = 1 << 26;
/** Parts overlap by as much as the longest thing that is looked for. */
const OVERLAP = 256;

/** Every writable mapping, in parts. */
export function* writableMemory(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      const [start, end] = [Number.parseInt(from ?? '0', 16), Number.parseInt(to ?? '0', 16)];
      for (let at = start; at < end; at += LARGEST) {
        const part = Buffer.alloc(Math.min(end - at, LARGEST + OVERLAP));
        try {
          const read = readSync(memory, part, 0, part.length, at);
          yield part.subarray(0, read);
        } catch {
          break; // Kernel pages that nobody may read.
        }
      }
    }
  } finally {
    closeSync(memory);
  }
}
