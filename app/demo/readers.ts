/** The demo's readers: a pcscd of our own with virtual cards, the engine's built-in virtual reader, or the machine's own PC/SC. */
import { join } from 'node:path';
import type { ReaderPort } from '../card/reader-port.ts';
import { openCardFile } from '../simulator/card-file.ts';
import type { Latency } from '../simulator/latency.ts';
import { rigAvailability, startRig } from '../simulator/rig/index.ts';
import { openVirtualReaders } from '../simulator/virtual-reader.ts';
import { openPcsc } from '../station/pcsc/index.ts';

/** Readers, and the hands that put a card into the first one. */
export interface DemoReaders {
  readonly port: ReaderPort;
  /** What it is, in words for the terminal. */
  readonly what: string;
  insert(cardFile: string, latency: Latency): Promise<void>;
  remove(): Promise<void>;
  stopService(): Promise<void>;
  close(): Promise<void>;
}

/** Name of the engine's own virtual reader. */
export const BUILT_IN_READER = 'Kaika virtual reader';

/** pcscd where it can run here; the built-in reader elsewhere. `what` says which, and why. */
export async function openDemoReaders(folder: string): Promise<DemoReaders> {
  const here = await rigAvailability();
  if (!here.available) return builtInReaders([BUILT_IN_READER], `no PC/SC here: ${here.obstacle}`);
  const rig = await startRig({ folder: join(folder, 'pcscd'), readers: 1 });
  const port = openPcsc({ socketPath: rig.socketPath });
  return {
    port,
    what: 'pcscd with a virtual card',
    insert: (file, latency) => rig.insert(0, file, { latency }),
    remove: () => rig.remove(0),
    stopService: () => rig.stopService(),
    close: async () => {
      await port.close();
      await rig.close();
    },
  };
}

/** Readers inside this process; `names` may be empty: no reader plugged in. */
export function builtInReaders(names: readonly string[], why: string): DemoReaders {
  const readers = openVirtualReaders(names);
  return {
    port: readers,
    what: `the built-in virtual reader (${why})`,
    insert: async (file, latency) =>
      readers.insert(names[0] ?? BUILT_IN_READER, await openCardFile(file, { latency })),
    remove: async () => readers.remove(names[0] ?? BUILT_IN_READER),
    stopService: async () => readers.stopService(),
    close: () => readers.close(),
  };
}

/** This machine's own service and readers: cards are put in by hand. */
export function ownReaders(): DemoReaders {
  const port = openPcsc();
  const byHand = () => Promise.reject(new Error('real cards are put in by hand'));
  return {
    port,
    what: 'this machine’s PC/SC readers',
    insert: byHand,
    remove: byHand,
    stopService: byHand,
    close: () => port.close(),
  };
}
