/** What the vault says of its token. */
import { z } from 'zod';
import { KEY_ALGORITHMS, masterInfoSchema } from '../keys.ts';
import type { Operations } from '../operation.ts';

/** Where a new key is in the clear on its way to the card: nowhere outside the token, or in one wiped buffer of the vault. */
const newKeyPathSchema = z.enum(['inside-token', 'wiped-buffer']);
export type NewKeyPath = z.infer<typeof newKeyPathSchema>;

/**
 * State of the token, for `status` and the readiness check. `softwareToken`: it lives in the vault process's memory. `demo`: it is
 * marked, its keys are a demonstration's and protect nothing. `newKeys`: the way of new application keys; `newDomainKeys`: that of
 * a security domain's, tried out on this token.
 */
const vaultStatusSchema = z.strictObject({
  token: z.string(),
  manufacturer: z.string(),
  softwareToken: z.boolean(),
  demo: z.boolean(),
  newKeys: newKeyPathSchema,
  newDomainKeys: z.record(z.enum(KEY_ALGORITHMS), newKeyPathSchema),
  masters: z.array(masterInfoSchema),
});
export type VaultStatus = Readonly<z.infer<typeof vaultStatusSchema>>;

export const tokenOperations = {
  status: {
    purpose: 'say which token this is, and which masters are in it',
    request: z.undefined(),
    answer: vaultStatusSchema,
    gives: 'names, algorithms, check values and rules of the masters; how new keys leave the token',
    refuses: [],
  },
} satisfies Operations;
