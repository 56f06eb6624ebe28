/** Tests that are told of every store there is, and empty stores for them. */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'vitest';
import type { StoreConfig } from '../../app/keyserver/store/config.ts';
import { openDatabases } from './databases.ts';
import { NO_POSTGRESQL } from './postgresql.ts';
import { type Closable, shared } from './shared.ts';
import { scratchFolder } from './temporary.ts';

export type StoreKind = 'sqlite' | 'postgresql';

/** Tells the same tests of SQLite and of PostgreSQL; where that is not installed it is said to be left out, and why. */
export function onEveryStore(tell: (kind: StoreKind) => void): void {
  describe('on sqlite', () => tell('sqlite'));
  describe('on postgresql', () => {
    if (NO_POSTGRESQL === undefined) tell('postgresql');
    else it.skip(`left out: ${NO_POSTGRESQL}`, () => undefined);
  });
}

/** A folder, and new, empty places for stores of one kind. */
export interface StorePlaces extends Closable {
  readonly folder: string;
  empty(): Promise<StoreConfig>;
}

export async function openStorePlaces(kind: StoreKind): Promise<StorePlaces> {
  const folder = scratchFolder('kaika-stores-');
  const databases = kind === 'postgresql' ? await openDatabases() : undefined;
  let made = 0;
  return {
    folder,
    async empty() {
      made += 1;
      const file = join(folder, `store-${made}`, 'kaika.sqlite');
      return (await databases?.database()) ?? { kind: 'sqlite', file };
    },
    async close() {
      await databases?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same for the tests of a file, or of one describe. */
export const storePlaces = (kind: StoreKind): StorePlaces => shared(() => openStorePlaces(kind));

/**
 * Every file of an SQLite store as it is now, its log of writes included: what a thief of the disk would have.
 * @throws Error for a store that is no file, because there would be nothing to search
 */
export function storeFiles(store: StoreConfig): Buffer[] {
  if (store.kind !== 'sqlite') throw new Error('only a store in a file can be searched');
  const folder = dirname(store.file);
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file));
}
