/** Data that an answer must show before the next command of a batch is sent. Station and server both ask here. Pure. */
import { z } from 'zod';
import { fromHex } from '../card/bytes.ts';

const bytes = z
  .string()
  .max(512)
  .regex(/^(?:[0-9A-F]{2})+$/);

/** `value` counts where `mask`, of the same length, has ones; both are 1 to 256 bytes in hexadecimal. */
export const expectationSchema = z
  .strictObject({ value: bytes, mask: bytes })
  .refine(({ value, mask }) => value.length === mask.length, { message: 'value and mask differ in length' });
type Expectation = z.infer<typeof expectationSchema>;

/** Whether an answer's data are as expected: shorter ones are not, of longer ones the beginning counts. A mask of another length fits nothing. */
export function meets(expectation: Expectation | undefined, data: Uint8Array): boolean {
  if (expectation === undefined) return true;
  const value = fromHex(expectation.value);
  const mask = fromHex(expectation.mask);
  if (data.length < value.length || mask.length !== value.length) return false;
  return value.every((byte, i) => ((byte ^ (data[i] ?? 0)) & (mask[i] ?? 0)) === 0);
}
