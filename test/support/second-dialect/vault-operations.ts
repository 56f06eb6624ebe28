/** Lantern's key operations: their shapes. */
import { z } from 'zod';
import { bytes, ownBytes } from '../../../app/keyserver/vault/bytes-schema.ts';
import { cardKey, statedCard } from '../../../app/keyserver/vault/keys.ts';
import type { Operations } from '../../../app/keyserver/vault/operation.ts';
import { DOOR } from './rule.ts';

export const lanternOperations = {
  lanternOpen: {
    purpose: 'Lantern: opening the door',
    request: z.strictObject({ card: statedCard, key: cardKey(DOOR), random: bytes(8) }),
    answer: ownBytes,
    gives: 'the random enciphered, 8 bytes',
    refuses: [],
  },
  lanternChange: {
    purpose: 'Lantern: changing the key',
    request: z.strictObject({ card: statedCard, under: cardKey(DOOR), newKey: cardKey(DOOR) }),
    answer: ownBytes,
    gives: 'the new key enciphered, 16 bytes',
    refuses: [],
  },
} satisfies Operations;
