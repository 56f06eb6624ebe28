/**
 * A receipt: card and job after a step, as the server knows them, sealed under a key of the token and kept by the station. It names keys by
 * version, never holds one.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';
import { storedOutcomeSchema } from '../../protocol/stored-outcome.ts';
import { LIMITS } from '../../protocol/wire.ts';
import { cardStateSchema } from '../issuer/card-state-schema.ts';
import { storedSetAsideSchema } from '../issuer/set-aside-stored.ts';
import { jobStateSchema } from '../issuer/state.ts';
import { VaultError } from '../vault/error.ts';
import type { Vault } from '../vault/vault.ts';
import { packedCommandSchema } from './receipt-commands.ts';

const text = z.string();

const receiptContentSchema = z.strictObject({
  version: z.literal(1),
  /** Generation of the store, and of the card in it. */
  storeGeneration: z.number().int().min(1),
  generation: z.number().int().min(1),
  card: z.strictObject({
    id: text,
    type: text,
    account: text.nullable(),
    accountFactor: text.nullable(),
    setAside: storedSetAsideSchema.nullable(),
    firstSeen: z.iso.datetime(),
  }),
  state: cardStateSchema,
  job: z.strictObject({
    id: z.uuid(),
    requestId: z.uuid(),
    requestHash: text,
    station: text,
    operator: text,
    reader: text,
    account: text,
    seq: z.number().int().min(0),
    started: z.iso.datetime(),
    ended: z.iso.datetime().nullable(),
    outcome: storedOutcomeSchema.nullable(),
    /** Without the batch that was out: a job is never continued from a receipt, only recorded. */
    state: jobStateSchema,
  }),
  /** The job that enabled each app. */
  enabledIn: z.record(text, text),
  /** Commands answered so far. */
  commands: z.array(packedCommandSchema),
});
export type ReceiptContent = z.infer<typeof receiptContentSchema>;

const CONTEXT = 'receipt';
const MOST_BYTES = 1_000_000;
const WAIT_MS = 2_000;

/** Sealed; undefined when it would be too long, or the HSM does not serve at once: what a card said must not wait for a receipt. */
export async function sealReceipt(
  vault: Pick<Vault, 'seal'>,
  content: ReceiptContent,
): Promise<string | undefined> {
  try {
    const clear = new Uint8Array(deflateRawSync(JSON.stringify(content)));
    const sealed = await atOnce(vault.seal({ clear, context: CONTEXT }));
    if (sealed === undefined) return undefined;
    const receipt = Buffer.from(sealed).toString('base64url');
    return receipt.length <= LIMITS.receiptCharacters ? receipt : undefined;
  } catch (error) {
    if (error instanceof VaultError) return undefined;
    throw error;
  }
}

async function atOnce<T>(call: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), WAIT_MS);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
    // The call may fail after the wait for it ended. A rejection that nothing handles would end the process.
    call.catch(() => undefined);
  }
}

/** What a receipt says; undefined for one that we did not seal, or that another version of this program did. @throws VaultError when the HSM is away */
export async function openReceipt(
  vault: Pick<Vault, 'unseal'>,
  receipt: string,
): Promise<ReceiptContent | undefined> {
  let clear: Uint8Array;
  try {
    clear = await vault.unseal({
      sealed: new Uint8Array(Buffer.from(receipt, 'base64url')),
      context: CONTEXT,
    });
  } catch (error) {
    if (error instanceof VaultError && error.fault === 'refused') return undefined;
    throw error;
  }
  const said: unknown = JSON.parse(inflateRawSync(clear, { maxOutputLength: MOST_BYTES }).toString('utf8'));
  // One of another version of this program must not hold up those behind it.
  return receiptContentSchema.safeParse(said).data;
}
