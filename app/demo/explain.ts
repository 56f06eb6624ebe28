/** What a failure of the data folder's disk means to the person at the terminal. */
import { KaikaError } from '../protocol/errors.ts';

const NOT_WRITABLE =
  /EACCES|EPERM|EROFS|ENOTDIR|ENOENT|EISDIR|ENAMETOOLONG|SQLITE_CANTOPEN|SQLITE_READONLY|unable to open database/;
const FULL = /ENOSPC|EDQUOT|SQLITE_FULL|disk is full/;

/** A full disk and a folder that cannot be written, by name; everything else as it is. */
export function explainFailure(error: unknown, folder: string): KaikaError | Error {
  const known = error instanceof Error ? error : new Error(String(error));
  const said = `${'code' in known ? String(known.code) : ''} ${known.message}`;
  if (FULL.test(said)) return new KaikaError('station-disk-full');
  if (known instanceof KaikaError) return known;
  if (NOT_WRITABLE.test(said)) {
    return new Error(
      `Kaika cannot keep its data in ${folder}: make it writable, or name another folder in KAIKA_DATA.`,
    );
  }
  return known;
}
