/** What main and the engine's process say to each other. Both check what they hear. */
import { z } from 'zod';
import { errorCodeSchema } from '../../app/protocol/errors.ts';
import { CALLS } from '../ipc-schema/calls.ts';
import { faultSchema } from '../ipc-schema/views.ts';
import { changeSchema, stationViewSchema } from '../ipc-schema.ts';

const id = z.number().int();
const path = z.string().min(1);

/** The calls that the engine answers. One that main answers itself is refused if it comes here. */
const OWN_CALLS = CALLS.flatMap(({ by, name }) => (by === 'engine' ? [name] : []));

export const toEngineSchema = z.discriminatedUnion('do', [
  /** The first message. `folder`: the installation's; `resources`: the program's. */
  z.strictObject({ do: z.literal('open'), folder: path, resources: path }),
  /** A call of the window's, checked by main already and checked again. */
  z.strictObject({ do: z.literal('ask'), id, name: z.enum(OWN_CALLS), input: z.unknown() }),
  /** Asks for the view of the whole station as it is now; answered by `station`. */
  z.strictObject({ do: z.literal('show'), id }),
  z.strictObject({ do: z.literal('close') }),
]);
export type ToEngine = z.infer<typeof toEngineSchema>;

export const fromEngineSchema = z.discriminatedUnion('say', [
  /** The station is open. From here on every change is told with `change`. */
  z.strictObject({ say: z.literal('running'), station: stationViewSchema }),
  /** The station cannot be opened; main ends this process and tries again later. */
  z.strictObject({ say: z.literal('failed'), code: errorCodeSchema }),
  z.strictObject({ say: z.literal('change'), change: changeSchema }),
  z.strictObject({ say: z.literal('answer'), id, value: z.unknown() }),
  z.strictObject({ say: z.literal('refusal'), id, fault: faultSchema }),
  z.strictObject({ say: z.literal('station'), id, station: stationViewSchema }),
]);
export type FromEngine = z.infer<typeof fromEngineSchema>;
