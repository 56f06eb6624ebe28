/** The rig's readers and the cards in them. A card stays in its reader while the service is stopped, as a real one. */
import type { CardDevice } from '../device.ts';
import { ReplayError } from '../dialogue/replay.ts';
import { type InsertedCard, insertCard } from '../vpcd.ts';
import type { RigEvent, RigFault } from './messages.ts';
import type { Pcscd } from './pcscd.ts';

/** A command that cannot be done. */
export class SlotError extends Error {
  readonly fault: RigFault;
  constructor(fault: RigFault, message: string) {
    super(message);
    this.name = 'SlotError';
    this.fault = fault;
  }
}

interface Slot {
  card: CardDevice | undefined;
  link: InsertedCard | undefined;
  /** When vpcd has noticed that the last card went. */
  vacated: Promise<void>;
}

/** All readers of a rig. */
export interface Slots {
  /** @throws SlotError when there is no such reader or it is occupied, or what `open` throws as `card-file`. */
  insert(
    reader: number,
    open: () => Promise<CardDevice>,
    options?: { readonly untilNoticed?: boolean | undefined },
  ): Promise<void>;
  /** Pulls the card; a reader without one is left as it is. @throws SlotError when there is no such reader. */
  remove(reader: number): Promise<void>;
  stopService(): Promise<void>;
  startService(): Promise<void>;
  /** Pulls every card and stops the service. */
  close(): Promise<void>;
}

/** Resolves when clients find the card, or when it has gone already. */
async function noticed({ link }: Slot): Promise<void> {
  if (link === undefined) return;
  await Promise.race([link.noticed, new Promise<void>((resolve) => link.onRemoved(() => resolve()))]);
}

/** The readers of `pcscd`; `onEvent` hears of cards that went. */
export function openSlots(pcscd: Pcscd, onEvent: (event: RigEvent) => void): Slots {
  const slots: readonly Slot[] = pcscd.readerNames.map(() => ({
    card: undefined,
    link: undefined,
    vacated: Promise.resolve(),
  }));

  const slotOf = (reader: number): Slot => {
    const slot = slots[reader];
    if (!slot) throw new SlotError('no-reader', `no reader ${reader}`);
    return slot;
  };

  const link = async (reader: number, slot: Slot, card: CardDevice): Promise<void> => {
    await slot.vacated;
    const inserted = await insertCard({ port: pcscd.portOf(reader), device: card });
    slot.link = inserted;
    slot.vacated = inserted.vacated;
    inserted.onRemoved((reason, cause) => {
      slot.link = undefined;
      if (reason === 'service') return;
      slot.card = undefined;
      const left = cause instanceof ReplayError ? { reason: cause.message } : {};
      onEvent({ event: reason === 'torn' ? 'torn' : 'removed', reader, ...left });
    });
  };

  const remove = async (reader: number): Promise<void> => {
    const slot = slotOf(reader);
    if (slot.link) await slot.link.remove();
    else if (slot.card) {
      slot.card = undefined;
      onEvent({ event: 'removed', reader });
    }
  };

  return {
    remove,
    insert: async (reader, open, { untilNoticed = false } = {}) => {
      const slot = slotOf(reader);
      if (slot.card) throw new SlotError('reader-occupied', `a card is in reader ${reader}`);
      const card = await open().catch((error: unknown) => {
        throw new SlotError('card-file', error instanceof Error ? error.message : 'card file');
      });
      slot.card = card;
      if (!pcscd.running) return;
      try {
        await link(reader, slot, card);
      } catch (error) {
        slot.card = undefined;
        throw error;
      }
      if (untilNoticed) await noticed(slot);
    },
    stopService: async () => {
      await pcscd.stop();
      await Promise.all(slots.map((slot) => slot.vacated));
    },
    startService: async () => {
      try {
        await pcscd.start();
      } catch (error) {
        throw new SlotError('service-failed', error instanceof Error ? error.message : 'pcscd');
      }
      for (const [reader, slot] of slots.entries()) {
        if (slot.card && !slot.link) await link(reader, slot, slot.card);
      }
    },
    close: async () => {
      await Promise.all(slots.map((_, reader) => remove(reader)));
      await pcscd.stop();
    },
  };
}
