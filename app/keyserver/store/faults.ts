/** What an error of the database's means for whoever asked, the same for SQLite and PostgreSQL. */
import { DatabaseError } from 'pg';
import { codeOf } from '../error-code.ts';

/** `busy`: asking again may help. `text`: what was to be kept has characters that the database does not take. */
export type StoreFault = 'busy' | 'text' | 'failed';

/** undefined for what is no error of the database's or of the way to it. */
export function storeFaultOf(error: unknown): StoreFault | undefined {
  const code = codeOf(error);
  if (code.startsWith('SQLITE_BUSY')) return 'busy';
  if (code.startsWith('SQLITE_')) return 'failed';
  if (!isPostgresql(error)) return undefined;
  // character_not_in_repertoire, untranslatable_character: a NUL in a text, say.
  if (code === '22021' || code === '22P05') return 'text';
  // lock_not_available, query_canceled, too_many_connections
  if (code === '55P03' || code === '57014' || code === '53300') return 'busy';
  return 'failed';
}

/** An error of the database's, or of the way to it: the pool's own errors have no code. */
function isPostgresql(error: unknown): boolean {
  if (error instanceof DatabaseError) return true;
  const text = error instanceof Error ? error.message : '';
  return NETWORK.has(codeOf(error)) || POOL.some((one) => text.startsWith(one));
}
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ENOENT',
]);
const POOL = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Query read timeout',
  'Client has encountered a connection error',
  'Cannot use a pool after calling end',
];
