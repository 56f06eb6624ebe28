/** Sealing for the store, under a key of the token that serves nothing else. */
import { z } from 'zod';
import { bytes, LONGEST_CLEAR, LONGEST_SEALED, ownBytes } from '../bytes-schema.ts';
import type { Operations } from '../operation.ts';

const context = z.string().min(1).max(512).describe('what they are for');

export const sealOperations = {
  seal: {
    purpose: 'seal bytes for the store',
    request: z.strictObject({ clear: bytes(0, LONGEST_CLEAR).describe('up to 1 MiB'), context }),
    answer: ownBytes,
    gives: 'the sealed bytes',
    refuses: [],
  },
  unseal: {
    purpose: 'open what was sealed',
    request: z.strictObject({ sealed: bytes(0, LONGEST_SEALED).describe('what `seal` gave'), context }),
    answer: ownBytes,
    gives: 'the bytes',
    refuses: ['bytes that were changed, or sealed in another context or under another key'],
  },
} satisfies Operations;
