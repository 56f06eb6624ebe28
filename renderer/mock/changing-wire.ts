/** A wire whose other end can be changed for another one: the window stays, the scene behind it is a new one. */
import type { Wire } from '../../electron/ipc-schema/bridge.ts';
import type { MockWire } from './wire.ts';

interface ChangingWire extends Wire {
  readonly now: MockWire;
  /** Nothing that the former end still says is heard from now on. */
  change(next: MockWire): void;
  /** When every call has its answer, and whoever made it has taken it in. */
  settled(): Promise<void>;
}

export function createChangingWire(first: MockWire): ChangingWire {
  let now = first;
  const calls = new Set<Promise<unknown>>();
  const listening = new Map<
    object,
    { readonly channel: string; hear: (value: unknown) => void; end: () => void }
  >();
  return {
    get now() {
      return now;
    },
    invoke: (channel, input) => {
      const call = now.invoke(channel, input).finally(() => calls.delete(call));
      calls.add(call);
      return call;
    },
    listen: (channel, hear) => {
      const key = {};
      listening.set(key, { channel, hear, end: now.listen(channel, hear) });
      return () => {
        listening.get(key)?.end();
        listening.delete(key);
      };
    },
    change: (next) => {
      now = next;
      for (const one of listening.values()) {
        one.end();
        one.end = next.listen(one.channel, one.hear);
      }
    },
    settled: async () => {
      do {
        await Promise.allSettled(calls);
        // Whoever asked goes on in a task before the next one, and may ask more.
        await new Promise((resolve) => setTimeout(resolve));
      } while (calls.size > 0);
    },
  };
}
