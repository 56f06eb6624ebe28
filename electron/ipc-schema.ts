/**
 * The one schema of what passes between the window and the rest of the station. The preload's bridge and with it the
 * renderer's client (electron/ipc-schema/bridge.ts), main's and the engine's handlers and the mock of the tests
 * (electron/ipc-schema/answerer.ts) are derived from it, and it is checked at run time on both sides. What is not in here does
 * not exist for the window. A new call is one entry in its group, and one handler in the process that the group names.
 */
import { z } from 'zod';
import { accountSchema, appIdSchema, LIMITS, newSecretSchema } from '../app/protocol/wire.ts';
import {
  cardHistorySchema,
  catalogueSchema,
  engineViewSchema,
  jobViewSchema,
  operatorViewSchema,
  planViewSchema,
  readerViewSchema,
  serverViewSchema,
  serviceViewSchema,
  settingsSchema,
  stationViewSchema,
  wishViewSchema,
} from './ipc-schema/views.ts';

export * from './ipc-schema/views.ts';

const nothing = z.strictObject({});
const done = z.null();
const reader = z.string().min(1).max(128);
const job = z.string().min(1).max(64);
const card = z.string().min(1).max(64);
const credentials = z.strictObject({
  operator: z.string().min(1).max(64),
  secret: z.string().min(1).max(256),
});
const wishes = <T extends z.ZodType>(wish: T) => z.array(wish).min(1).max(LIMITS.apps);

/** A call: what the window gives, and what it gets when it went well. Errors are `Refusal`. */
export interface CallSchema {
  readonly input: z.ZodType;
  readonly reply: z.ZodType;
}

/** `main`: answered there. `engine`: main checks it, passes it on, and checks what comes back. */
export type Answering = 'main' | 'engine';

/** Calls that belong together, and who answers them. */
interface GroupSchema {
  readonly by: Answering;
  readonly calls: Readonly<Record<string, CallSchema>>;
}

/** What the window needs at its start. `at`: the number of the last change that is contained; later ones have higher numbers. */
const startViewSchema = z.strictObject({
  version: z.string().max(40),
  settings: settingsSchema,
  catalogue: catalogueSchema,
  station: stationViewSchema,
  at: z.number().int().min(0),
});
export type StartView = z.infer<typeof startViewSchema>;

/** The handle of a second person's confirmation. The confirmation stays in the engine; the handle is good for one wish. */
const confirmationSchema = z.uuid();

/** What a clerk wants of one app, with the handle of the second person's confirmation where one is needed. */
const wishSchema = wishViewSchema.extend({ confirmedBy: confirmationSchema.optional() });
export type Wish = z.infer<typeof wishSchema>;

/** Calls, window to main, by group. Error codes beside `bad-request`, `internal` are those of app/station/engine.ts. */
export const ipc = {
  shell: {
    by: 'main',
    calls: {
      /** Full snapshot; asked for once at the start, and again when a notification was missed. */
      start: { input: nothing, reply: startViewSchema },
      /** Changes the settings given, keeps them, and answers with all. */
      changeSettings: { input: settingsSchema.partial(), reply: settingsSchema },
    },
  },
  session: {
    by: 'engine',
    calls: {
      /** `newSecret`: chosen in place of the one that somebody else made, which `secret-change-needed` asks for. */
      signIn: {
        input: credentials.extend({ newSecret: newSecretSchema.optional() }),
        reply: operatorViewSchema,
      },
      signOut: { input: nothing, reply: done },
      /**
       * A second person confirms that this app of the card is deleted, with what its purse says. `card`: the number that was on the screen; another
       * card in the reader is refused with `other-card`.
       */
      confirm: {
        input: credentials.extend({ reader, card, app: appIdSchema }),
        reply: confirmationSchema,
      },
    },
  },
  server: {
    by: 'engine',
    calls: {
      /** Asks the server for a sign of life; any answer of the server's, a refusal too, counts as one. `session-expired`: whoever is signed in is not any more. */
      check: { input: nothing, reply: serverViewSchema },
    },
  },
  card: {
    by: 'engine',
    calls: {
      /** Reads the card again. Where the end of a job is still shown, it is put away and the card can be served again. */
      relook: { input: z.strictObject({ reader }), reply: done },
      /** The server's record of the card of that number. */
      history: { input: z.strictObject({ card }), reply: cardHistorySchema },
    },
  },
  job: {
    by: 'engine',
    calls: {
      /** What would be done for these wishes, planned from what the card in `reader` said. Asks neither card nor server. */
      preview: { input: z.strictObject({ reader, wishes: wishes(wishViewSchema) }), reply: planViewSchema },
      /** `card`: the number that was on the screen at the click; another card in the reader is refused with `other-card`. */
      start: {
        input: z.strictObject({ reader, card, account: accountSchema, wishes: wishes(wishSchema) }),
        reply: job,
      },
      abandon: { input: z.strictObject({ job }), reply: done },
    },
  },
} as const satisfies Readonly<Record<string, GroupSchema>>;

/** One change of what the window is shown. `station` replaces everything: the engine was started again. */
export const changeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('station'), station: stationViewSchema }),
  z.strictObject({ kind: z.literal('settings'), settings: settingsSchema }),
  z.strictObject({ kind: z.literal('engine'), engine: engineViewSchema }),
  z.strictObject({ kind: z.literal('service'), service: serviceViewSchema }),
  z.strictObject({ kind: z.literal('server'), server: serverViewSchema }),
  z.strictObject({ kind: z.literal('operator'), operator: operatorViewSchema.nullable() }),
  z.strictObject({ kind: z.literal('reader'), reader: readerViewSchema }),
  z.strictObject({ kind: z.literal('reader-gone'), name: reader }),
  z.strictObject({ kind: z.literal('job'), job: jobViewSchema }),
  z.strictObject({ kind: z.literal('job-gone'), id: job }),
]);
export type Change = z.infer<typeof changeSchema>;

/** Main to window. `at` goes up by one with each: a gap means that `start` has to be asked for again. */
export const notificationSchema = z.strictObject({ at: z.number().int().min(1), change: changeSchema });
export type Notification = z.infer<typeof notificationSchema>;
