/** The store of a server that dies at one of its commits. */
import type { Store } from '../../app/keyserver/store/open.ts';

/** Which commit, counted from 1; just before it is done, or just after, before anybody hears of it. */
export interface Death {
  readonly at: number;
  readonly when: 'before' | 'after';
}

/** `die` must not come back: it throws, or ends the process. */
export function dyingStore(store: Store, { at, when }: Death, die: () => never) {
  const state = { commits: 0 };
  const dying = new Proxy(store, {
    get(target, name) {
      if (name !== 'transaction') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return () => ({
        execute: async <T>(work: Parameters<ReturnType<Store['transaction']>['execute']>[0]): Promise<T> => {
          state.commits += 1;
          const struck = state.commits === at;
          const result = await target.transaction().execute(async (db) => {
            const done = await work(db);
            // Everything is written, and nothing of it will be there.
            if (struck && when === 'before') die();
            return done;
          });
          if (struck) die();
          return result as T;
        },
      });
    },
  });
  return { dying, state };
}
