/** Every failure as an error body: a code, never a stack, never what the other side sent. */
import { DatabaseError } from 'pg';
import { ZodError } from 'zod';
import { type ErrorBody, type ErrorCode, KaikaError } from '../../protocol/errors.ts';
import { VaultError, type VaultFault } from '../vault/port.ts';

/** What the vault says of token and files stays in the log. */
const VAULT_ERRORS: Record<VaultFault, readonly [ErrorCode, string]> = {
  'hsm-away': ['hsm-away', 'the HSM does not answer'],
  'key-missing': ['hsm-key-missing', 'a key is not in the HSM'],
  refused: ['internal', 'something went wrong on the server'],
  busy: ['server-busy', 'the HSM has too much to do'],
};

/** The error as the wire has it. What is not ours becomes `internal`, its text stays in the log. */
export function toErrorBody(error: unknown, requestId: string): ErrorBody {
  if (error instanceof KaikaError) {
    const details = Object.keys(error.details).length === 0 ? {} : { details: error.details };
    return { code: error.code, message: error.message.slice(0, 500), requestId, ...details };
  }
  if (error instanceof VaultError) return plain(...VAULT_ERRORS[error.fault], requestId);
  if (error instanceof ZodError) return { code: 'bad-request', message: describe(error), requestId };
  const code = codeOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return plain('request-too-large', 'the body is too large', requestId);
  if (code.startsWith('FST_ERR_CTP') || code === 'FST_ERR_VALIDATION') {
    return plain('bad-request', 'the body is not JSON of the right kind', requestId);
  }
  if (code === 'FST_ERR_BAD_URL') return plain('bad-request', 'the address is malformed', requestId);
  if (code.startsWith('SQLITE_BUSY')) return plain('server-busy', 'the store has too much to do', requestId);
  if (code.startsWith('SQLITE_'))
    return plain('server-store-failed', 'the store did not take the step', requestId);
  if (isPostgresql(error)) {
    // character_not_in_repertoire, untranslatable_character: a NUL in a text, say.
    if (code === '22021' || code === '22P05')
      return plain('bad-request', 'the body has text that cannot be kept', requestId);
    // lock_not_available, query_canceled, too_many_connections
    if (code === '55P03' || code === '57014' || code === '53300')
      return plain('server-busy', 'the store has too much to do', requestId);
    return plain('server-store-failed', 'the store did not take the step', requestId);
  }
  return plain('internal', 'something went wrong on the server', requestId);
}

/** Where the body does not follow its schema, without repeating what stood there. */
function describe(error: ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join('.') || 'body'}: ${issue?.code ?? 'invalid'}`.slice(0, 500);
}

function plain(code: ErrorCode, message: string, requestId: string): ErrorBody {
  return { code, message, requestId };
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

/** The `code` that Node, Fastify and SQLite put on their errors; empty when there is none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
