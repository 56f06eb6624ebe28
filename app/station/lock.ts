/** One engine an installation (design §7): a lock that dies with the process, however it dies. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { KaikaError } from '../protocol/errors.ts';

/** Held until `release`. */
interface InstallationLock {
  release(): void;
}

/**
 * Takes the folder's lock: an exclusive transaction that is never committed on a database that is never written. The
 * operating system drops it with the process, and SQLite does it alike on all of them.
 * @throws KaikaError station-already-running
 */
export function lockInstallation(folder: string): InstallationLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new Database(join(folder, 'engine.lock'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (codeOf(error).startsWith('SQLITE_BUSY')) {
      throw new KaikaError('station-already-running', 'another engine runs on this folder');
    }
    throw error;
  }
  return {
    release() {
      if (!database.open) return;
      database.exec('ROLLBACK');
      database.close();
    },
  };
}

/** The SQLite result code of an error, '' when it is none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
