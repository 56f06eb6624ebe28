/** What only set-up and ceremony may do. The serving process has none of it. */
import { z } from 'zod';
import { bytes } from './bytes-schema.ts';
import { tokenConfigSchema } from './config.ts';
import { KEY_ALGORITHMS, masterInfoSchema, masterKeyIdSchema, masterRuleSchema } from './keys.ts';
import type { Operations } from './operation.ts';

const id = masterKeyIdSchema.describe('its name');
const algorithm = z.enum(KEY_ALGORITHMS).describe('its algorithm');
const rule = masterRuleSchema.describe(
  'what its keys are diversified by, and the key records they may stand in: fixed for good',
);
const pin = bytes(4, 255).describe('4 to 255 bytes');

const UNFIT = "a rule that does not go with the key's name";

/** Bytes in a request of these are secrets: admin.ts wipes them when the call is over, however it ends. */
export const adminOperations = {
  configure: {
    purpose: 'open a token; comes before all but `initToken`',
    request: z.strictObject({ config: tokenConfigSchema.describe('where the token and its PIN are') }),
    answer: z.undefined(),
    gives: 'nothing',
    refuses: ['a token of demonstration keys, unless the configuration says `demo`'],
  },
  initToken: {
    purpose: 'make a token in an empty slot',
    request: z.strictObject({
      module: z.string().min(1).describe('path of the PKCS#11 module'),
      label: z
        .string()
        .regex(/^[\x20-\x7e]{1,32}$/)
        .describe('1 to 32 printable characters'),
      pin,
      soPin: pin,
    }),
    answer: z.undefined(),
    gives: 'nothing',
    refuses: ['a label that a token has already'],
  },
  generateMaster: {
    purpose: 'make a master inside the token',
    request: z.strictObject({ id, algorithm, rule }),
    answer: masterInfoSchema,
    gives: 'its name, algorithm, check value and rule, read again from the reopened token',
    refuses: ['a name that is taken: keys are never replaced, only versioned', UNFIT],
  },
  importMaster: {
    purpose: 'take in a transport key that a manufacturer handed over',
    request: z.strictObject({
      id,
      algorithm,
      value: bytes(16, 32).describe('the key in clear; wiped'),
      rule,
    }),
    answer: masterInfoSchema,
    gives: 'the same',
    refuses: ['a name that is taken', "a value of another length than the algorithm's", UNFIT],
  },
  setRule: {
    purpose: 'give a master of an older program the rule that it lacks',
    request: z.strictObject({ id, rule }),
    answer: masterInfoSchema,
    gives: 'the same',
    refuses: ['a master that has one: what is fixed is never changed', UNFIT],
  },
  listMasters: {
    purpose: 'say which masters there are',
    request: z.undefined(),
    answer: z.array(masterInfoSchema),
    gives: 'names, algorithms, check values and rules',
    refuses: [],
  },
  ensureSealKey: {
    purpose: 'make the key that `seal` works under, if there is none',
    request: z.undefined(),
    answer: z.undefined(),
    gives: 'nothing',
    refuses: [],
  },
  markDemo: {
    purpose: "mark all keys of the token as a demonstration's, for good",
    request: z.undefined(),
    answer: z.undefined(),
    gives: 'nothing',
    refuses: [],
  },
} satisfies Operations;
