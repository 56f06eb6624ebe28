/**
 * Virtual readers for training and for machines without PC/SC: the one place of the product that knows the simulator. Which
 * cards are in them is in a file, the desk, so that whoever holds the cards may be another process.
 */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { z } from 'zod';
import type { ReaderPort } from '../card/reader-port.ts';
import { openCardFile } from '../simulator/card-file.ts';
import { openVirtualReaders, type VirtualReaders } from '../simulator/virtual-reader.ts';

export const trainingDeskSchema = z.strictObject({
  /** Whether the smart card service runs. */
  service: z.enum(['running', 'stopped']),
  /** The readers of the first look stay; later ones are not seen. */
  readers: z.array(
    z.strictObject({
      name: z.string().min(1).max(128),
      /** `stay` grows with each time that a card is put in, so that one pulled and put back at once is seen to have gone. */
      card: z
        .strictObject({
          file: z.string().min(1),
          stay: z.number().int(),
          latency: z.enum(['none', 'realistic']),
        })
        .nullable(),
    }),
  ),
});
export type TrainingDesk = z.infer<typeof trainingDeskSchema>;

/** How often the desk is looked at, in milliseconds: about as soon as pcscd sees a card. */
const LOOK_MS = 100;

/** Opens the readers of a desk. @throws when its file cannot be read or does not follow the schema. */
export function openTrainingReaders(deskFile: string): ReaderPort {
  const desk = readDesk(deskFile);
  const readers = openVirtualReaders(desk.readers.map((reader) => reader.name));
  const follower = follow(readers);
  let last = follower(desk);
  const look = () => {
    last = last.then(() => follower(readDesk(deskFile))).catch(() => undefined);
  };
  watchFile(deskFile, { interval: LOOK_MS, persistent: false }, look);
  return {
    get state() {
      return readers.state;
    },
    subscribe: (listener) => readers.subscribe(listener),
    connect: (name) => readers.connect(name),
    close: async () => {
      unwatchFile(deskFile, look);
      await last;
      await readers.close();
    },
  };
}

function readDesk(file: string): TrainingDesk {
  return trainingDeskSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** Makes the readers what the desk says, in order. A card that cannot be opened is not put in. */
function follow(readers: VirtualReaders): (desk: TrainingDesk) => Promise<void> {
  const stays = new Map<string, number>();
  return async (desk) => {
    if (desk.service === 'stopped') readers.stopService();
    else readers.startService();
    for (const { name, card } of desk.readers) {
      if (stays.get(name) === card?.stay) continue;
      stays.delete(name);
      readers.remove(name);
      if (card === null) continue;
      readers.insert(name, await openCardFile(card.file, { latency: card.latency }));
      stays.set(name, card.stay);
    }
  };
}
