/**
 * POST /v1/receipts: after a restored backup the stations give back what the server told them of their jobs. The server learns nothing from
 * it that it did not say itself: a receipt is sealed under a key of its token.
 */
import { z } from 'zod';
import { API_LEVEL, LIMITS, receiptSchema } from './wire.ts';

/** Header of every answer: the generation of the server's store, a number that rises when a backup is restored. */
export const STORE_GENERATION_HEADER = 'kaika-store-generation';

export const receiptsRequestSchema = z.strictObject({
  apiLevel: z.literal(API_LEVEL),
  receipts: z.array(receiptSchema).min(1).max(LIMITS.receipts),
});
export type ReceiptsRequest = z.infer<typeof receiptsRequestSchema>;

/** How many were news, how many were not, and how many are no receipts of this station. */
export const receiptsReplySchema = z.strictObject({
  apiLevel: z.literal(API_LEVEL),
  taken: z.number().int().min(0),
  known: z.number().int().min(0),
  refused: z.number().int().min(0),
});
export type ReceiptsReply = z.infer<typeof receiptsReplySchema>;
