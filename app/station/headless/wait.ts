/** Waiting for the engine to show something, with a limit. */
import type { Engine } from '../engine.ts';
import type { Clock } from '../ports.ts';
import type { Snapshot } from '../views.ts';

/**
 * The first thing that `find` makes of the engine's state, now or after a change; undefined when `limitMs` passed before.
 */
export async function waitFor<T>(
  engine: Engine,
  clock: Clock,
  limitMs: number,
  find: (snapshot: Snapshot) => T | undefined,
): Promise<T | undefined> {
  const ended = new AbortController();
  let unsubscribe: () => void = () => undefined;
  const found = new Promise<T>((resolve) => {
    unsubscribe = engine.subscribe(() => {
      const result = find(engine.snapshot());
      if (result !== undefined) resolve(result);
    });
  });
  try {
    return await Promise.race([found, clock.sleep(limitMs, ended.signal).then(() => undefined)]);
  } finally {
    ended.abort();
    unsubscribe();
  }
}
