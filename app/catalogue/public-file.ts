/** The public file 0015 of a demo app, as far as the key-less look reads it (docs/cards/demo-card.md). */

/** Offset of the enabled flag. */
export const ENABLED_FLAG_OFFSET = 8;

/** Whether the app says it is enabled; undefined when the file is too short or the flag is neither 00 nor 01. */
export function readEnabledFlag(file: Uint8Array): boolean | undefined {
  const flag = file[ENABLED_FLAG_OFFSET];
  return flag === 1 ? true : flag === 0 ? false : undefined;
}
