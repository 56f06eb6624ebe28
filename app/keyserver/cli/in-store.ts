/** What commands share that work on the store. */
import type { ServerConfig } from '../config.ts';
import { openStore, type Store } from '../store/open.ts';

export async function inStore<T>(
  config: Pick<ServerConfig, 'store'>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openStore(config.store);
  try {
    return await work(store);
  } finally {
    await store.destroy();
  }
}
