/** Messages between the server and the vault process, validated by whoever receives them. */
import { z } from 'zod';
import { wipe } from '../../card/bytes.ts';
import { tokenConfigSchema } from './config.ts';
import { masterKeyIdSchema } from './labels.ts';
import { KEY_ALGORITHMS } from './port.ts';

/** Longest thing the store may have sealed. */
const LONGEST_SEALED = 1 << 20;

/** Bytes of a bounded length. */
export function bytes(least: number, most = least): z.ZodType<Uint8Array> {
  return z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length >= least && value.length <= most,
    { error: least === most ? `must be ${least} bytes` : `must be ${least} to ${most} bytes` },
  );
}

const byte = z.int().min(0).max(0xff);
const cardKey = z.strictObject({ master: masterKeyIdSchema, factor: bytes(8) });
/** Bytes of key diversification data in an INITIALIZE UPDATE answer. */
const KDD = 10;
const domainKey = z.strictObject({
  master: masterKeyIdSchema,
  diversification: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('none') }),
    z.strictObject({ kind: z.literal('pboc'), factor: bytes(8) }),
    z.strictObject({ kind: z.literal('visa2'), data: bytes(KDD) }),
    z.strictObject({ kind: z.literal('emv-cps'), data: bytes(KDD) }),
    z.strictObject({ kind: z.literal('kdf3'), data: bytes(KDD) }),
  ]),
});
const domainKeys = z.strictObject({ enc: domainKey, mac: domainKey, dek: domainKey });
const context = z.string().min(1).max(512);
/** Only 4-byte challenges: with 8 bytes of a station's choice EXTERNAL AUTHENTICATE would be an encryption oracle. */
const challenge = bytes(4);

const scp02 = z.strictObject({ scp: z.literal('02'), sequenceCounter: bytes(2) });
const scp03 = z
  .strictObject({ scp: z.literal('03'), hostChallenge: bytes(8, 16), cardChallenge: bytes(8, 16) })
  .refine((value) => [8, 16].includes(value.hostChallenge.length), { error: 'challenges of 8 or 16 bytes' })
  .refine((value) => value.hostChallenge.length === value.cardChallenge.length, {
    error: 'challenges of one length',
  });

/** One call of the serving vault. */
export const vaultCallSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('status') }),
  z.strictObject({ op: z.literal('fmcosCryptogram'), key: cardKey, challenge }),
  z.strictObject({ op: z.literal('fmcosMac'), key: cardKey, challenge, message: bytes(6, 260) }),
  z.strictObject({
    op: z.literal('fmcosKeyWrite'),
    under: cardKey,
    newKey: cardKey,
    p1: z.literal([0x39, 0x36]),
    keyId: byte,
    header: z.strictObject({
      typeInside: byte,
      useRight: byte,
      changeRight: byte,
      nextState: byte,
      counter: byte,
    }),
    challenge,
  }),
  z.strictObject({
    op: z.literal('channelSessionKeys'),
    keys: domainKeys,
    context: z.discriminatedUnion('scp', [scp02, scp03]),
  }),
  z
    .strictObject({
      op: z.literal('foretellChannel'),
      keys: domainKeys,
      hostChallenge: bytes(8, 16),
      sequenceCounter: bytes(3),
      invoker: bytes(5, 16),
    })
    .refine((call) => [8, 16].includes(call.hostChallenge.length), { error: 'challenges of 8 or 16 bytes' }),
  z.strictObject({
    op: z.literal('wrapDomainKeys'),
    under: z.discriminatedUnion('scp', [
      z.strictObject({ scp: z.literal('02'), dek: domainKey, sequenceCounter: bytes(2) }),
      z.strictObject({ scp: z.literal('03'), dek: domainKey }),
    ]),
    keys: domainKeys,
  }),
  z.strictObject({ op: z.literal('seal'), clear: bytes(0, LONGEST_SEALED), context }),
  z.strictObject({ op: z.literal('unseal'), sealed: bytes(0, LONGEST_SEALED + 64), context }),
]);

/** One call of the serving vault. */
export type VaultCall = z.infer<typeof vaultCallSchema>;

/** First message to a vault process. */
export const configureSchema = z.strictObject({ op: z.literal('configure'), config: tokenConfigSchema });

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
    fault: z.enum(['hsm-away', 'key-missing', 'refused', 'busy']),
    message: z.string(),
    rss: z.number(),
  }),
]);

/** An answer of a vault process. */
export type Reply = z.infer<typeof replySchema>;

/** Bytes of an answer in an array of their own; what came through the channel is wiped. */
export const ownBytes: z.ZodType<Uint8Array> = bytes(0, LONGEST_SEALED + 64).transform((received) => {
  const own = new Uint8Array(received);
  wipe(received);
  return own;
});

/** Public facts of a master key, as they come back. */
export const masterInfoSchema = masterKeyIdSchema.extend({
  algorithm: z.enum(KEY_ALGORITHMS),
  checkValue: ownBytes,
});
