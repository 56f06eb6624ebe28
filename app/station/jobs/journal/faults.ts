/** What can be wrong with the journal's file, and which of it has a code that people can act upon. */
import { KaikaError } from '../../../protocol/errors.ts';
import { codeOf } from '../../lock.ts';
import type { DiskReserve } from './disk-reserve.ts';

const FILE = { file: 'journal.db' };

interface OneDatabase {
  readonly inTransaction: boolean;
  exec(sql: string): unknown;
}

/**
 * Runs what touches the file; on a full disk once more with the reserve given up.
 * @throws KaikaError station-disk-full, station-journal-damaged, station-journal-held
 */
export function guarded<T>(reserve: DiskReserve, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isDiskFull(error)) throw named(error);
    if (reserve.release()) {
      try {
        return work();
      } catch (again) {
        if (!isDiskFull(again)) throw named(again);
      }
    }
    throw new KaikaError('station-disk-full', 'the journal cannot be written');
  }
}

/**
 * Several writes, all or none. SQLite rolls back by itself on a full disk (lang_transaction.html, "Response To Errors Within A
 * Transaction"); libsql's own `transaction` rolls back once more then, and throws what that says instead of SQLITE_FULL.
 */
export function inTransaction(database: OneDatabase, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    try {
      if (database.inTransaction) database.exec('ROLLBACK');
    } catch {
      // The first error says what is wrong.
    }
    throw error;
  }
}

/** SQLite says FULL for ENOSPC and EDQUOT on writes, and IOERR or CANTOPEN where a file beside it could not be made. */
function isDiskFull(error: unknown): boolean {
  return /^(SQLITE_FULL|SQLITE_IOERR|SQLITE_CANTOPEN|ENOSPC|EDQUOT)/.test(codeOf(error));
}

/** CORRUPT and NOTADB are the file's fault, BUSY and LOCKED another process's; any other error is the program's. */
function named(error: unknown): unknown {
  const code = codeOf(error);
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return new KaikaError('station-journal-damaged', code, FILE);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return new KaikaError('station-journal-held', code, FILE);
  return error;
}
