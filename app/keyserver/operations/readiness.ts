/** Whether this instance can serve now: its store, its HSM, and it was not told to stop. */
import { askStore } from '../store/health.ts';
import type { Store } from '../store/open.ts';
import type { Vault } from '../vault/vault.ts';

interface Readiness {
  readonly ready: boolean;
  readonly store: boolean;
  readonly hsm: boolean;
  readonly stopping: boolean;
}

const LIMIT_MS = 3_000;
/** Balancers ask often: one answer serves for this long. */
const FRESH_MS = 1_000;

export class ReadinessCheck {
  readonly #store: Store;
  readonly #vault: Vault;
  #stopping = false;
  #last: { readonly at: number; readonly found: Promise<Readiness> } | undefined;

  constructor(store: Store, vault: Vault) {
    this.#store = store;
    this.#vault = vault;
  }

  /** From now on it is not ready, so that a balancer sends nothing more. */
  stop(): void {
    this.#stopping = true;
    this.#last = undefined;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  check(): Promise<Readiness> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at > FRESH_MS)
      this.#last = { at: now, found: this.#ask() };
    return this.#last.found;
  }

  async #ask(): Promise<Readiness> {
    const [store, hsm] = await Promise.all([answers(askStore(this.#store)), answers(this.#vault.status())]);
    const stopping = this.#stopping;
    return { ready: store && hsm && !stopping, store, hsm, stopping };
  }
}

async function answers(call: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), LIMIT_MS);
  });
  const done = call.then(
    () => true,
    () => false,
  );
  const found = await Promise.race([done, late]);
  clearTimeout(timer);
  return found;
}
