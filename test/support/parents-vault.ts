/**
 * The vault of a test in a process that the test starts and kills: each call goes over the channel between them, because starting a vault takes
 * longer than a job.
 */
import type { Vault } from '../../app/keyserver/vault/vault.ts';

export interface VaultCall {
  readonly kind: 'vault';
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface VaultAnswer {
  readonly kind: 'vault-answer';
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** In the child: a vault whose every method is the parent's, and what takes the answers. */
export function parentsVault(): { readonly vault: Vault; answered(answer: VaultAnswer): void } {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let asked = 0;
  const vault = new Proxy({} as Vault, {
    get:
      (_target, method) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          asked += 1;
          waiting.set(asked, { resolve, reject });
          process.send?.({ kind: 'vault', id: asked, method: String(method), args } satisfies VaultCall);
        }),
  });
  return {
    vault,
    answered({ id, value, error }) {
      const one = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) one?.resolve(value);
      else one?.reject(new Error(error));
    },
  };
}

/** In the parent: does one call, and tells the child what came of it. */
export async function answerCall(
  vault: Vault,
  { id, method, args }: VaultCall,
  tell: (answer: VaultAnswer) => void,
): Promise<void> {
  try {
    const call: unknown = Reflect.get(vault, method);
    if (typeof call !== 'function') throw new Error(`the vault has no ${method}`);
    tell({ kind: 'vault-answer', id, value: await Reflect.apply(call, vault, args) });
  } catch (error) {
    tell({ kind: 'vault-answer', id, error: error instanceof Error ? error.message : String(error) });
  }
}
