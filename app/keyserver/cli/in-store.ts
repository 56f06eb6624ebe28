/** What commands share that work on the store, and ask a second person. */
import { text } from 'node:stream/consumers';
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

/** The second person's secret: standard input, without its line end, so that no list of processes shows it. */
export async function readSecret(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}
