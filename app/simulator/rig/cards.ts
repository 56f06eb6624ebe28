/** Opens the cards of a rig: from card files, with the faults asked for. */
import { z } from 'zod';
import type { CardDevice } from '../device.ts';
import { tracedToFile } from '../dialogue/trace-file.ts';
import type { FaultyDevice } from '../fault.ts';
import { type Scripted, type Tear, TearingDevice } from '../tear.ts';
import type { InsertOptions } from './messages.ts';

/** Opens a card file. Rejects with what the module rejects with, never with the file's content. */
export type CardOpener = (path: string, options: InsertOptions) => Promise<CardDevice>;

const CardModule = z.object({ openCardFile: z.function() });
const Device = z.custom<CardDevice>(
  (value) => typeof value === 'object' && value !== null && 'transmit' in value && 'atr' in value,
);

/** The opener of the module at `url`, which exports `openCardFile(path, options)`. */
export async function cardOpener(url: string): Promise<CardOpener> {
  const { openCardFile } = CardModule.parse(await import(url));
  return async (path, { latency, tear, trace }) => {
    const options = latency === undefined ? {} : { latency };
    const device = Device.parse(await Reflect.apply(openCardFile, undefined, [path, options]));
    const card = tear === undefined ? device : tearing(device, tear);
    if (trace === undefined) return card;
    return tracedToFile(card, { path: trace.path, full: trace.full, remarks: [trace.remark] });
  };
}

function tearing(device: CardDevice, tear: NonNullable<InsertOptions['tear']>): CardDevice {
  if (!isFaulty(device)) throw new TypeError('this card cannot be made to fail');
  return new TearingDevice(device, planOf(tear));
}

function isFaulty(device: CardDevice): device is FaultyDevice {
  return 'transmitWithFault' in device;
}

function planOf({ ins, ...fault }: NonNullable<InsertOptions['tear']>): Tear | Scripted {
  const which = ins === undefined ? {} : { ins };
  if ('scripted' in fault) return { ...fault, ...which };
  const { commit, ...cut } = fault;
  return { ...cut, ...which, ...(commit === undefined ? {} : { commit }) };
}
