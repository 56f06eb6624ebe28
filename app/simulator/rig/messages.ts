/** What the rig and the process in its namespace say to each other: one JSON object a line, both ways. */
import { z } from 'zod';

const strike = {
  /** The n-th command, counted from 1; with `ins` the n-th of those. */
  at: z.number().int().min(1),
  ins: z.number().int().min(0).max(0xff).optional(),
};

/** How a card behaves: how long it takes, which one command it fails (see ../tear.ts), and who writes it down. */
export const InsertOptions = z.object({
  latency: z
    .union([z.enum(['none', 'realistic']), z.object({ apdu: z.number().min(0), load: z.number().min(0) })])
    .optional(),
  tear: z
    .union([
      z.object({
        ...strike,
        when: z.enum(['before', 'during', 'after']),
        commit: z.enum(['lost', 'kept']).optional(),
      }),
      z.object({ ...strike, scripted: z.literal('memoryFull') }),
    ])
    .optional(),
  /** The card counts as inserted only when clients find it, half a second later at most; at once otherwise. */
  untilNoticed: z.boolean().optional(),
  /** Absolute path of a file the dialogue is written to; see ../dialogue/trace-file.ts. */
  trace: z.object({ path: z.string().min(1), full: z.boolean(), remark: z.string() }).optional(),
});
export type InsertOptions = z.infer<typeof InsertOptions>;

/** What the process is started with. */
export const RigSetup = z.object({
  /** Absolute folder that becomes /run/pcscd; holds the socket and the drivers. */
  run: z.string().min(1),
  readers: z.number().int().min(1).max(16),
  /** Of each pair of readers; written as Latin-1, as some drivers' makers did. `Virtual Reader A`, … where left out. */
  names: z.array(z.string().regex(/^[\u0020-\u00FF]{1,40}$/)).optional(),
  driver: z.string().min(1),
  pcscd: z.string().min(1),
  /** URL of the module that exports `openCardFile`. */
  cards: z.url(),
});
export type RigSetup = z.infer<typeof RigSetup>;

const id = z.number().int();
const reader = z.number().int().min(0);

/** Parent to process. */
export const RigCommand = z.discriminatedUnion('do', [
  z.object({ id, do: z.literal('insert'), reader, cardFile: z.string().min(1), options: InsertOptions }),
  z.object({ id, do: z.literal('remove'), reader }),
  z.object({ id, do: z.literal('stop-service') }),
  z.object({ id, do: z.literal('start-service') }),
  z.object({ id, do: z.literal('close') }),
]);
export type RigCommand = z.infer<typeof RigCommand>;

/**
 * Why a command was not done: no such reader, a card is in it already, the card file could not be opened, pcscd is
 * not running or did not start.
 */
export const RigFault = z.enum([
  'no-reader',
  'reader-occupied',
  'card-file',
  'service-stopped',
  'service-failed',
]);
export type RigFault = z.infer<typeof RigFault>;

/**
 * Something happened to a card: it pulled itself (`torn`), or it went in any other way. Readers count from 0. `reason`:
 * where a recorded dialogue was left.
 */
export const RigEvent = z.object({
  event: z.enum(['torn', 'removed']),
  reader,
  reason: z.string().optional(),
});
export type RigEvent = z.infer<typeof RigEvent>;

/** Process to parent. */
export const RigMessage = z.union([
  z.object({ event: z.literal('ready'), readerNames: z.array(z.string()) }),
  z.object({ event: z.literal('failed'), message: z.string() }),
  RigEvent,
  z.object({ id, ok: z.literal(true) }),
  z.object({ id, ok: z.literal(false), fault: RigFault, message: z.string() }),
]);
export type RigMessage = z.infer<typeof RigMessage>;
