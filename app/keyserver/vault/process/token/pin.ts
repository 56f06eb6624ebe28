/** The PIN as bytes that can be wiped. */
import { readFileSync, statSync } from 'node:fs';
import { wipe } from '../../../../card/bytes.ts';
import { byteOrderMark } from '../../../../card/text-file.ts';
import type { PinSource } from '../../config.ts';
import { VaultError } from '../../error.ts';

/** Reads the PIN anew at each login, so that it is held nowhere between two of them (pinFile; pinEnv must hold it). */
export interface PinReader {
  /** Gives the PIN to `work` and wipes it. @throws VaultError `hsm-away` when there is none to read. */
  with<T>(work: (pin: Buffer) => T): T;
  /** Changes when the file was written again. */
  stamp(): string;
}

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The line in the file, without its end. @throws VaultError */
function firstLine(content: Buffer): Buffer {
  refuseMark(content);
  let end = content.length;
  while (end > 0 && (content[end - 1] === NEWLINE || content[end - 1] === RETURN)) end -= 1;
  return content.subarray(0, end);
}

/**
 * A byte order mark is the editor's, not the PIN's: sent along it would spend a try of the token. Nor is it left out in silence, because a token
 * may have been set up with it.
 */
function refuseMark(pin: Uint8Array): void {
  if (byteOrderMark(pin) !== undefined)
    throw new VaultError(
      'hsm-away',
      'the PIN begins with a byte order mark, so it was not tried: save it as plain text without one',
    );
}

function fileReader(path: string): PinReader {
  return {
    with(work) {
      let content: Buffer;
      try {
        content = readFileSync(path);
      } catch {
        throw new VaultError('hsm-away', 'the PIN file cannot be read');
      }
      try {
        return work(firstLine(content));
      } finally {
        wipe(content);
      }
    },
    stamp() {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? 'absent' : `${stat.mtimeNs}/${stat.size}/${stat.ino}`;
    },
  };
}

/** The variable is taken out of the environment; one copy stays in this process, because it cannot be read again. */
function environmentReader(name: string): PinReader {
  const text = process.env[name];
  delete process.env[name];
  return {
    with(work) {
      if (text === undefined) throw new VaultError('hsm-away', `no PIN in the environment (${name})`);
      const pin = Buffer.from(text);
      try {
        refuseMark(pin);
        return work(pin);
      } finally {
        wipe(pin);
      }
    },
    stamp: () => 'environment',
  };
}

/** A reader for the configured source. */
export function pinReader(source: PinSource): PinReader {
  return 'pinFile' in source ? fileReader(source.pinFile) : environmentReader(source.pinEnv);
}
