/** The demo's readers: a pcscd of our own with virtual cards, the engine's training readers, or the machine's own PC/SC. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Latency } from '../simulator/latency.ts';
import { rigAvailability, startRig } from '../simulator/rig/index.ts';
import type { ReadersConfig } from '../station/config.ts';
import type { TrainingDesk } from '../station/training.ts';

/** How slow a demo card is. */
export type DemoLatency = Extract<Latency, string>;

/** Readers, and the hands that put a card into the first one. */
export interface DemoReaders {
  /** What the station is told of them. */
  readonly config: ReadersConfig;
  /** What it is, in words for the terminal. */
  readonly what: string;
  insert(cardFile: string, latency: DemoLatency): Promise<void>;
  remove(): Promise<void>;
  stopService(): Promise<void>;
  startService(): Promise<void>;
  close(): Promise<void>;
}

/** Name of the training reader. */
export const TRAINING_READER = 'Kaika virtual reader';

/** pcscd where it can run here; a training reader elsewhere. `what` says which, and why. */
export async function openDemoReaders(folder: string): Promise<DemoReaders> {
  const here = await rigAvailability();
  if (!here.available) return trainingReaders(folder, [TRAINING_READER], `no PC/SC here: ${here.obstacle}`);
  const rig = await startRig({ folder: join(folder, 'pcscd'), readers: 1 });
  return {
    config: { kind: 'pcsc', socket: rig.socketPath },
    what: 'pcscd with a virtual card',
    insert: (file, latency) => rig.insert(0, file, { latency }),
    remove: () => rig.remove(0),
    stopService: () => rig.stopService(),
    startService: () => rig.startService(),
    close: () => rig.close(),
  };
}

/** Readers inside the engine; `names` may be empty: no reader plugged in. */
export function trainingReaders(folder: string, names: readonly string[], why: string): DemoReaders {
  const file = join(folder, 'desk.json');
  let stay = 0;
  let desk: TrainingDesk = { service: 'running', readers: names.map((name) => ({ name, card: null })) };
  const lay = async (next: TrainingDesk) => {
    desk = next;
    writeFileSync(`${file}.next`, JSON.stringify(desk));
    renameSync(`${file}.next`, file);
  };
  const withCard = (card: TrainingDesk['readers'][number]['card']) =>
    lay({ ...desk, readers: desk.readers.map((reader, at) => (at === 0 ? { ...reader, card } : reader)) });
  void lay(desk);
  return {
    config: { kind: 'training', desk: file },
    what: `the built-in virtual reader (${why})`,
    insert: (card, latency) => {
      stay += 1;
      return withCard({ file: card, latency, stay });
    },
    remove: () => withCard(null),
    stopService: () => lay({ ...desk, service: 'stopped' }),
    startService: () => lay({ ...desk, service: 'running' }),
    close: async () => undefined,
  };
}

/** This machine's own service and readers: cards are put in by hand. */
export function ownReaders(): DemoReaders {
  const byHand = () => Promise.reject(new Error('real cards are put in by hand'));
  return {
    config: { kind: 'pcsc' },
    what: 'this machine’s PC/SC readers',
    insert: byHand,
    remove: byHand,
    stopService: byHand,
    startService: byHand,
    close: async () => undefined,
  };
}
