/** A log of JSON lines. A full file is kept as `.1` in place of the one before, so the log never fills the disk. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../app/station/ports.ts';

const MAX_BYTES = 5_000_000;

/** A line that cannot be written is dropped: cards are issued without a log, too. */
export function openLogFile(file: string): Log {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  let size = sizeOf(file);
  return (level, event, fields = {}) => {
    const line = `${JSON.stringify({ at: new Date().toISOString(), level, event, ...fields })}\n`;
    try {
      if (size > MAX_BYTES) {
        renameSync(file, `${file}.1`);
        size = 0;
      }
      appendFileSync(file, line, { mode: 0o600 });
      size += line.length;
    } catch {
      // Most likely the disk is full, which the engine tells staff by itself.
    }
  };
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
