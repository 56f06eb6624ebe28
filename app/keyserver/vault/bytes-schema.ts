/** Byte strings in messages to and from a vault process. */
import { z } from 'zod';
import { wipe } from '../../card/bytes.ts';

/** Longest thing the store may have sealed, in bytes. */
export const LONGEST_CLEAR = 1 << 20;

/** Room for what sealing adds. */
export const LONGEST_SEALED = LONGEST_CLEAR + 64;

/** Bytes of a bounded length. */
export function bytes(least: number, most = least): z.ZodType<Uint8Array, Uint8Array> {
  const error = least === most ? `must be ${least} bytes` : `must be ${least} to ${most} bytes`;
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length >= least && value.length <= most,
    { error },
  );
}

/** Bytes of an answer in an array of their own; what came through the channel is wiped. */
export const ownBytes: z.ZodType<Uint8Array, Uint8Array> = bytes(0, LONGEST_SEALED).transform((received) => {
  const own = new Uint8Array(received);
  wipe(received);
  return own;
});

/** Wipes every byte array in a message, however deep it stands. */
export function wipeMessage(value: unknown): void {
  if (value instanceof Uint8Array) wipe(value);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) wipeMessage(part);
}
