/** Fields that several parts of a card-type profile are made of. */
import { z } from 'zod';

/** One byte as two hexadecimal digits; read as a number. */
export const hexByte = z
  .string()
  .regex(/^[0-9A-F]{2}$/)
  .transform((text) => Number.parseInt(text, 16));

/** Which 8 bytes a card's keys are diversified with; `account` = the card account, `identification` = the code burnt in. */
export const factorSource = z.enum(['account', 'identification']);
