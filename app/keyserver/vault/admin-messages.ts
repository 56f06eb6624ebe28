/** Messages between set-up or ceremony and the admin process; the serving process does not know them. */
import { z } from 'zod';
import { tokenConfigSchema } from './config.ts';
import { masterKeyIdSchema } from './labels.ts';
import { bytes } from './messages.ts';
import { KEY_ALGORITHMS } from './port.ts';

const algorithm = z.enum(KEY_ALGORITHMS);

/** One call of the admin process. `configure` comes before all that need a login; `initToken` stands alone. */
export const adminCallSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('configure'), config: tokenConfigSchema }),
  z.strictObject({
    op: z.literal('initToken'),
    module: z.string().min(1),
    label: z.string().regex(/^[\x20-\x7e]{1,32}$/),
    pin: bytes(4, 255),
    soPin: bytes(4, 255),
  }),
  z.strictObject({ op: z.literal('generateMaster'), id: masterKeyIdSchema, algorithm }),
  z.strictObject({ op: z.literal('importMaster'), id: masterKeyIdSchema, algorithm, value: bytes(16, 32) }),
  z.strictObject({ op: z.literal('listMasters') }),
  z.strictObject({ op: z.literal('ensureSealKey') }),
  z.strictObject({ op: z.literal('markDemo') }),
]);

/** One call of the admin process. */
export type AdminCall = z.infer<typeof adminCallSchema>;
