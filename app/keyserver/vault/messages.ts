/** Messages between the server and a vault process, validated by whoever receives them. */
import { z } from 'zod';
import { tokenConfigSchema } from './config.ts';
import { VAULT_FAULTS } from './error.ts';

/** First message to a process that works on a token. */
export const configureSchema = z.strictObject({ op: z.literal('configure'), config: tokenConfigSchema });

/** Every other message: an operation's name, and what it takes, to be checked with the operation's own schema. */
export const callSchema = z.strictObject({ op: z.string(), request: z.unknown().optional() });

/** One call. */
export type VaultCall = Readonly<z.infer<typeof callSchema>>;

/** What carries every message to a vault process. */
export const envelopeSchema = z.strictObject({ id: z.int().min(0), body: z.unknown() });

/** State of the token when a vault process was configured. `pin-refused` and `demo-refused` are faults of the configuration. */
export const openedSchema = z.strictObject({
  token: z.enum(['open', 'away', 'pin-refused', 'demo-refused']),
  message: z.string(),
});

/** State of the token when a vault process was configured. */
export type Opened = z.infer<typeof openedSchema>;

/** An answer of a vault process. `rss`: its resident memory in bytes. */
export const replySchema = z.discriminatedUnion('ok', [
  z.strictObject({ id: z.int(), ok: z.literal(true), value: z.unknown(), rss: z.number() }),
  z.strictObject({
    id: z.int(),
    ok: z.literal(false),
    fault: z.enum(VAULT_FAULTS),
    message: z.string(),
    rss: z.number(),
  }),
]);

/** An answer over the socket of a vault of another user. */
export const socketReplySchema = z.discriminatedUnion('ok', [
  z.strictObject({ id: z.int(), ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ id: z.int(), ok: z.literal(false), fault: z.enum(VAULT_FAULTS), message: z.string() }),
]);

/** An answer over the socket of a vault of another user. */
export type SocketReply = z.infer<typeof socketReplySchema>;

/** An answer of a vault process. */
export type Reply = z.infer<typeof replySchema>;
