/** Room on the disk kept back, so that a job begun can always be finished (design §7 "a full disk"). */
import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface DiskReserveOptions {
  /** Bytes kept back in a file. */
  readonly reserveBytes: number;
  /** Bytes that must be free besides, or no job is begun. */
  readonly freeBytes: number;
}

/** Enough for the journal of four jobs with full batches, several times over. */
export const DEFAULT_RESERVE: DiskReserveOptions = { reserveBytes: 4 << 20, freeBytes: 8 << 20 };

/** The reserve in one folder. Nothing here throws: what cannot be done shows as `hasRoom() === false`. */
export class DiskReserve {
  readonly #folder: string;
  readonly #file: string;
  readonly #options: DiskReserveOptions;

  constructor(folder: string, options: DiskReserveOptions = DEFAULT_RESERVE) {
    this.#folder = folder;
    this.#file = join(folder, 'reserve');
    this.#options = options;
  }

  /** Whether a new job may begin: the reserve stands whole (it is laid out again if it was used) and there is room besides. */
  hasRoom(): boolean {
    try {
      if (!this.#stands()) this.#lay();
      const { bavail, bsize } = statfsSync(this.#folder);
      return bavail * bsize >= this.#options.freeBytes;
    } catch {
      return false;
    }
  }

  /** Gives the reserve up for a job in hand; true when there was one to give. */
  release(): boolean {
    if (!this.#stands()) return false;
    try {
      rmSync(this.#file, { force: true });
      return true;
    } catch {
      return false;
    }
  }

  #stands(): boolean {
    return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0) >= this.#options.reserveBytes;
  }

  /** Random bytes: a file system that compresses or leaves holes would keep nothing back for zeros. */
  #lay(): void {
    const fd = openSync(this.#file, 'w', 0o600);
    try {
      const chunk = randomFillSync(Buffer.alloc(64 * 1024));
      for (let written = 0; written < this.#options.reserveBytes; ) {
        written += writeSync(fd, chunk, 0, Math.min(chunk.length, this.#options.reserveBytes - written));
      }
      fsyncSync(fd);
    } catch (error) {
      rmSync(this.#file, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }
}
