/** Folders that are there for tests, and gone after them. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { scratchFolder, scratchPath } from './temporary.ts';

const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** Where one is for all tests of a file, or of one describe. It is there when they begin, and not where they are told. */
export function sharedFolder(name: string): string {
  const folder = scratchPath(`kaika-${name}-`);
  beforeAll(() => {
    mkdirSync(folder, { mode: 0o700 });
  });
  afterAll(() => remove(folder));
  return folder;
}

/** A new one for each test. What this gives says where the one of the test under way is, or something in it. */
export function freshFolder(name: string): (...inside: readonly string[]) => string {
  let folder = '';
  beforeEach(() => {
    folder = scratchFolder(`kaika-${name}-`);
  });
  afterEach(() => remove(folder));
  return (...inside) => join(folder, ...inside);
}
