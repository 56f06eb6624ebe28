/** How a command ends that threw: a mistake, or something missing around the program, in one sentence; a fault of the program as what it is. */
import { CatalogueError } from '../../catalogue/schema.ts';
import { CapFileError } from '../../globalplatform/cap-components.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { ConfigError } from '../config.ts';
import { codeOf } from '../error-code.ts';
import { storeFaultOf } from '../store/faults.ts';
import { VaultError } from '../vault/error.ts';

/** EX_SOFTWARE of sysexits.h: an internal fault, which is nobody's mistake. */
export const FAULT_OF_OURS = 70;

/** EX_CONFIG of sysexits.h: starting again would be of no use, or do harm. The units in resources/deploy/ know it. */
export const MUST_NOT_RESTART = 78;

interface End {
  readonly status: number;
  /** For standard error, line ends included. */
  readonly text: string;
}

export function endOf(error: unknown): End {
  const sentence = sentenceOf(error);
  if (sentence !== undefined) return { status: 1, text: `${sentence}\n` };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = `This is a fault of the key server's program, not of what you typed; please report it with these lines.\n${stack}\n`;
  return { status: FAULT_OF_OURS, text };
}

/** undefined for a fault of the program: an error that nothing typed, and nothing of the machine, may cause. */
function sentenceOf(error: unknown): string | undefined {
  // The messages of these errors were written to be read by whoever typed the command.
  if (WRITTEN.some((one) => error instanceof one)) return messageOf(error);
  const around = storeFaultOf(error) !== undefined || isOfTheMachine(error);
  return around ? `The key server could not do it: ${messageOf(error)}` : undefined;
}

const WRITTEN = [ConfigError, KaikaError, VaultError, CatalogueError, CapFileError];

/** Files, sockets and certificates: Node's errors for them have a system call, or OpenSSL's code. Errors of its own arguments have neither. */
function isOfTheMachine(error: unknown): boolean {
  const code = codeOf(error);
  return (
    (error instanceof Error && 'syscall' in error && code !== '') ||
    code.startsWith('ERR_OSSL') ||
    code.startsWith('ERR_TLS')
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
