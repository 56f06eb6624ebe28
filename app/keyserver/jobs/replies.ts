/** Replies as the store keeps them: sealed, because they hold key writes; and the hash that tells a repeated request. */
import { createHash } from 'node:crypto';
import { fromHex, toHex } from '../../card/bytes.ts';
import type { JobReply, StepReply } from '../../protocol/wire.ts';
import type { Vault } from '../vault/vault.ts';

/** SHA-256 over the request's canonical JSON (keys sorted), hexadecimal. */
export function hashOf(request: unknown): string {
  return createHash('sha256').update(canonical(request)).digest('hex').toUpperCase();
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

export async function sealReply(
  vault: Vault,
  job: string,
  seq: number,
  reply: JobReply | StepReply,
): Promise<string> {
  const clear = new TextEncoder().encode(JSON.stringify(reply));
  return toHex(await vault.seal({ clear, context: context(job, seq) }));
}

/** The reply's JSON value; validate it with its schema. */
export async function openReply(vault: Vault, job: string, seq: number, sealed: string): Promise<unknown> {
  const clear = await vault.unseal({ sealed: fromHex(sealed), context: context(job, seq) });
  return JSON.parse(new TextDecoder().decode(clear));
}

function context(job: string, seq: number): string {
  return `job:${job}:${seq}`;
}
