/** What the tests of a file, or of one describe, have in common: opened before the first of them, closed after the last. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

/** What can be closed. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * To be called where tests are told; gives what `open` will give. Until the tests run there is nothing behind it, and a look at it says so.
 */
export function shared<T extends Closable>(open: () => Promise<T>): T {
  let opened: T | undefined;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());
  return standingFor(() => opened);
}

/** The same for each test: opened before it, closed after it. */
export function fresh<T extends Closable>(open: () => Promise<T>): T {
  let opened: T | undefined;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(async () => {
    await opened?.close();
    opened = undefined;
  });
  return standingFor(() => opened);
}

function standingFor<T extends Closable>(opened: () => T | undefined): T {
  return new Proxy<T>(Object.create(null), {
    get(_target, name) {
      const there = opened();
      if (there === undefined) throw new Error(`${String(name)} is asked for before the tests run`);
      return Reflect.get(there, name);
    },
  });
}
