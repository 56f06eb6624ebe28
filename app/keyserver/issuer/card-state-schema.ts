/** The shape of a card's state, for where it comes back from outside the store. Pure. */
import { z } from 'zod';
import { grantSchema, keyCandidateSchema } from '../../dialects/key-slots.ts';
import { appIdSchema, appStateSchema } from '../../protocol/wire.ts';
import type { CardState } from './card-state.ts';
import { domainKeySetSchema } from './domain-keys.ts';
import { groundSchema } from './ground-schema.ts';

const count = z.number().int().min(0);

const slotSchema = z.strictObject({
  candidates: z.array(keyCandidateSchema).min(1).max(2),
  spent: count,
  refused: z.boolean(),
  told: count.exactOptional(),
  granted: grantSchema.exactOptional(),
});

const appKeysSchema = z.record(z.string(), slotSchema);

export const keptSchema = z.strictObject({ state: appStateSchema, instance: count, keys: appKeysSchema });

export const cardStateSchema: z.ZodType<CardState> = z.strictObject({
  apps: z.record(
    appIdSchema,
    z.strictObject({
      state: appStateSchema,
      instance: count,
      loadFileHash: z.string().nullable(),
      loaded: z.string().exactOptional(),
      inDoubt: z.boolean(),
      keys: appKeysSchema.nullable(),
      kept: keptSchema.exactOptional(),
      ground: groundSchema.exactOptional(),
    }),
  ),
  domain: z
    .strictObject({
      candidates: z.array(domainKeySetSchema).min(1).max(2),
      spent: count,
      leaving: domainKeySetSchema.nullable(),
      granted: z.literal('last').exactOptional(),
    })
    .exactOptional(),
});
