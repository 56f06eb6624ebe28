/** A command being put into a batch, with what its answer will mean. */
import type { CommandApdu } from '../../card/apdu.ts';
import { encodeCommand } from '../../card/apdu.ts';
import { toHex } from '../../card/bytes.ts';
import type { Command, Label, StepName } from '../../protocol/wire.ts';
import type { Meaning, Sent } from './state.ts';

export interface Draft {
  readonly command: Command;
  readonly sent: Sent;
}

export interface DraftOptions {
  readonly app?: string;
  /** Acceptable status words; default 9000 only. */
  readonly accept?: readonly string[];
  /** The answer's data must equal this, where the mask has ones. */
  readonly expect?: { readonly value: Uint8Array; readonly mask: Uint8Array };
  /** The command changes the card or spends a try. */
  readonly effect?: boolean;
  /** The answer comes back with an R-MAC; `expect` is then for the answer once it is opened, which only the server can do. */
  readonly guarded?: boolean;
}

/** One command of plan step `step`; `bytes` are complete, MAC and all. */
export function draft(
  step: number,
  name: StepName,
  bytes: Uint8Array | CommandApdu,
  meaning: Meaning,
  options: DraftOptions = {},
): Draft {
  const accept = [...(options.accept ?? ['9000'])];
  const label: Label = options.app === undefined ? { step: name } : { step: name, app: options.app };
  const guarded = options.guarded === true;
  const expect =
    options.expect === undefined
      ? undefined
      : { value: toHex(options.expect.value), mask: toHex(options.expect.mask) };
  return {
    command: {
      apdu: toHex(bytes instanceof Uint8Array ? bytes : encodeCommand(bytes)),
      accept,
      label,
      ...(expect === undefined || guarded ? {} : { expect }),
      ...(options.effect === true ? { effect: true as const } : {}),
    },
    sent: {
      step,
      meaning,
      accept,
      label,
      guarded,
      ...(expect === undefined ? {} : guarded ? { expectOpened: expect } : { expect }),
    },
  };
}

/** For `DraftOptions.expect`: every bit counts. */
export function exactly(value: Uint8Array): NonNullable<DraftOptions['expect']> {
  return { value, mask: new Uint8Array(value.length).fill(0xff) };
}
