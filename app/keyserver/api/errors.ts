/** Every failure as an error body: a code, never a stack, never what the other side sent. */
import { type ErrorBody, type ErrorCode, KaikaError } from '../../protocol/errors.ts';
import { codeOf } from '../error-code.ts';
import { type StoreFault, storeFaultOf } from '../store/faults.ts';
import { VaultError, type VaultFault } from '../vault/error.ts';

/** What the vault says of token and files stays in the log. */
const VAULT_ERRORS: Record<VaultFault, readonly [ErrorCode, string]> = {
  'hsm-away': ['hsm-away', 'the HSM does not answer'],
  'key-missing': ['hsm-key-missing', 'a key is not in the HSM'],
  refused: ['internal', 'something went wrong on the server'],
  busy: ['server-busy', 'the HSM has too much to do'],
};

const STORE_ERRORS: Record<StoreFault, readonly [ErrorCode, string]> = {
  busy: ['server-busy', 'the store has too much to do'],
  text: ['bad-request', 'the body has text that cannot be kept'],
  failed: ['server-store-failed', 'the store did not take the step'],
};

/**
 * The error as the wire has it. A ZodError here is of something stored, for requests are read in endpoint.ts: `bad-request` would make a
 * station give its answers up. What is not ours becomes `internal`, its text stays in the log.
 */
export function toErrorBody(error: unknown, requestId: string): ErrorBody {
  if (error instanceof KaikaError) {
    const details = Object.keys(error.details).length === 0 ? {} : { details: error.details };
    return { code: error.code, message: error.message.slice(0, 500), requestId, ...details };
  }
  if (error instanceof VaultError) return plain(...VAULT_ERRORS[error.fault], requestId);
  const code = codeOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return plain('request-too-large', 'the body is too large', requestId);
  if (code.startsWith('FST_ERR_CTP') || code === 'FST_ERR_VALIDATION') {
    return plain('bad-request', 'the body is not JSON of the right kind', requestId);
  }
  if (code === 'FST_ERR_BAD_URL') return plain('bad-request', 'the address is malformed', requestId);
  const fault = storeFaultOf(error);
  if (fault !== undefined) return plain(...STORE_ERRORS[fault], requestId);
  return plain('internal', 'something went wrong on the server', requestId);
}

function plain(code: ErrorCode, message: string, requestId: string): ErrorBody {
  return { code, message, requestId };
}
