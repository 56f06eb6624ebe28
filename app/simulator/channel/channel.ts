/** An open secure channel as the security domain sees it. */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';

/** Bits of the security level (GPC 2.3.1 table 10-1). */
export const LEVEL = { cMac: 0x01, cDecryption: 0x02, rMac: 0x10, rEncryption: 0x20 } as const;

/** Session of one protocol. */
export interface Channel {
  readonly keyVersion: number;
  /** Security level of the session, as in EXTERNAL AUTHENTICATE. */
  readonly level: number;
  /** Most response data that still fits one response once protected. */
  readonly responseRoom: number;
  /**
   * Checks and removes the protection of a command.
   * @throws Refusal when it is missing or wrong; the session is then to be broken off.
   */
  unwrap(command: CommandApdu): CommandApdu;
  /** Protects the answer to `plain`, the command as unwrapped. */
  wrap(response: ResponseApdu, plain: CommandApdu): ResponseApdu;
  /** A key of PUT KEY in clear, under the session's or the static DEK. @throws Refusal on a wrong length */
  decryptKey(cipher: Uint8Array): Uint8Array;
  /** Wipes the session keys. */
  end(): void;
}

/** The three static keys of one key set, as bytes. */
export interface StaticKeys {
  readonly version: number;
  readonly enc: Uint8Array;
  readonly mac: Uint8Array;
  readonly dek: Uint8Array;
}

/** CLA without the secure messaging bit. */
export function plainCla(cla: number): number {
  return cla & ~0x04;
}

/**
 * Header and Lc of a command as they enter a MAC; Lc in three bytes for what several commands carried together
 * (GPC 2.3.1 §11.1.5.1).
 */
export function macHeader(command: CommandApdu, cla: number, lc: number): Uint8Array {
  const header = [cla, command.ins, command.p1, command.p2];
  return lc > 0xff ? Uint8Array.of(...header, 0, lc >> 8, lc & 0xff) : Uint8Array.of(...header, lc);
}

/** The same command with other protection: `data` left out when empty. */
export function withData(command: CommandApdu, cla: number, data: Uint8Array): CommandApdu {
  const { ins, p1, p2, le } = command;
  return {
    cla,
    ins,
    p1,
    p2,
    ...(data.length > 0 ? { data } : {}),
    ...(le === undefined ? {} : { le }),
  };
}
