/** What main and the engine's process say to each other. Both check what they hear. */
import { z } from 'zod';
import { errorCodeSchema } from '../../app/protocol/errors.ts';
import { CALLS } from '../ipc-schema/calls.ts';
import { faultSchema } from '../ipc-schema/views.ts';
import { changeSchema, stationViewSchema } from '../ipc-schema.ts';

const id = z.number().int();
const path = z.string().min(1);

/** What is main's own never comes here. */
const OWN_CALLS = CALLS.flatMap(({ by, name }) => (by === 'engine' ? [name] : []));

export const toEngineSchema = z.discriminatedUnion('do', [
  /** The first message. `folder`: the installation's; `resources`: the program's. */
  z.strictObject({ do: z.literal('open'), folder: path, resources: path }),
  /** A call of the window's, checked by main already and checked again. */
  z.strictObject({ do: z.literal('ask'), id, name: z.enum(OWN_CALLS), input: z.unknown() }),
  /** Everything that moves, at this moment. */
  z.strictObject({ do: z.literal('show'), id }),
  z.strictObject({ do: z.literal('close') }),
]);
export type ToEngine = z.infer<typeof toEngineSchema>;

export const fromEngineSchema = z.discriminatedUnion('say', [
  /** It is open; every change from here on is told. */
  z.strictObject({ say: z.literal('running'), station: stationViewSchema }),
  /** It cannot open, and ends. */
  z.strictObject({ say: z.literal('failed'), code: errorCodeSchema }),
  z.strictObject({ say: z.literal('change'), change: changeSchema }),
  z.strictObject({ say: z.literal('answer'), id, value: z.unknown() }),
  z.strictObject({ say: z.literal('refusal'), id, fault: faultSchema }),
  z.strictObject({ say: z.literal('station'), id, station: stationViewSchema }),
]);
export type FromEngine = z.infer<typeof fromEngineSchema>;
