/**
 * A dialect: everything that knows one family of card applications, behind one interface. A card type's rule for an app names its dialect;
 * what is asked of the rule afterwards is answered by that dialect. How to write one is in docs/profiles.md, "A new dialect".
 *
 * All of it is pure. Keys are named, never held: operations on them are asked of the vault through `KeyOperations`.
 */
import { z } from 'zod';
import type { Aid } from '../card/aid.ts';
import type { CommandApdu } from '../card/apdu.ts';
import type { CommandKind } from '../protocol/command-kind.ts';
import type { ErrorCode } from '../protocol/errors.ts';
import type { AppSetAsideCode } from '../protocol/set-aside.ts';
import type { Opening, StepName } from '../protocol/wire.ts';
import type { Fate } from './fate.ts';
import type { KeyCandidate, Presence } from './key-slots.ts';
import type { AppKeys, CardCodes, CardKeyRef, FactorKind, KeyTargets } from './keys.ts';

export interface Dialect {
  /** As rules name it in `dialect`. */
  readonly name: string;
  /** Reads `apps.<id>` of a profile; its first field is `dialect`. */
  readonly ruleSchema: z.ZodType<AppRule>;
}

/** What a station may know of an app on cards of one type: how it is read without keys, and what is planned. */
export interface AppReading {
  readonly dialect: string;
  readonly look: AppLook;
  /** How a purse tells what is in it; null where apps of the dialect cannot be purses. */
  readonly balance: BalanceReading | null;
  readonly plan: AppTrips;
  /**
   * What a command to the app is, SELECT excepted; undefined for one that the dialect never sends. By this a station that is told to forward
   * a command knows whether it may.
   */
  kindOf(command: CommandApdu): CommandKind | undefined;
}

/** How one app is enabled on cards of one type: the dialect together with what the profile says. */
export interface AppRule extends AppReading {
  /** Undefined in the catalogue of a station: nothing that builds key commands reaches a branch. */
  readonly issuing: AppIssuing | undefined;
}

/** What only the key server knows of an app: its keys, and the commands that need them. */
interface AppIssuing {
  readonly keys: AppKeyRules;
  /** How work on the app begins: commands that need no answer of their own step, so that they travel behind the step before. */
  head(work: AppGlance): readonly AppCommand[];
  /**
   * The next commands, from where the app stands; none when it cannot go on. `from-head`: nothing prepared holds, the work begins (again).
   * `show-first`: likewise, and before that the card is to show that it is there (`attemptOf`).
   * @throws VaultError when the HSM cannot serve
   */
  build(work: AppWork, ports: DialectPorts): Promise<AppBatch | 'from-head' | 'show-first'>;
  /** What the answer to one command teaches. `meaning` is what `head` or `build` gave with the command. */
  absorb(work: AppGlance, meaning: AppMeaning, fate: Fate): AppChange;
}

/** @throws Error for a rule of a station's catalogue: only the key server issues */
export function issuingOf({ dialect, issuing }: AppRule): AppIssuing {
  if (issuing === undefined)
    throw new Error(`the catalogue was read for a station, and cannot issue with ${dialect}`);
  return issuing;
}

/** How the state of an app is read without keys, once it is selected. */
interface AppLook {
  readonly command: CommandApdu;
  /** Whether the data of an answer 9000 clearly say that the app is enabled. */
  isEnabled(data: Uint8Array): boolean;
  /** Status words of SELECT that say that the app is there, and blocked. */
  readonly blocked: readonly number[];
}

interface BalanceReading {
  readonly command: CommandApdu;
  /** Data of the answer of a purse that holds this amount. */
  data(amount: number): Uint8Array;
  /** In the smallest unit of money; undefined for data that cannot be. */
  amount(data: Uint8Array): number | undefined;
}

/** What the planner asks: how many batches carry the work. */
interface AppTrips {
  /** Batches of enabling the app, from the first command that needs an answer of the app on. */
  readonly enable: number;
  /** Batches of moving an enabled app to other versions of its keys, by how many keys have to be written. */
  renew(writes: number): number;
  /** What the station may send behind SELECT, after the click, so that the job's first reply can go on from it; null where nothing is. */
  readonly opening: CommandApdu | null;
  /** What the card's answers to SELECT and `opening` give for the first commands; undefined when they are of no use. */
  takeOpening(opening: Opening): Notes | undefined;
}

/** What the app's keys are, and what may be done with the knowledge of them. */
export interface AppKeyRules {
  /** The masters of a role are `app/<app>/<role>` in the token. */
  readonly roles: readonly string[];
  /** The role whose key makes an enabled app the issuer's: while it may still be the manufacturer's, the card does not count as issued. */
  readonly issuedBy: string;
  /** Keys of a freshly installed app: the manufacturer's. */
  transport(codes: CardCodes): AppKeys;
  /** Which version of the manufacturer's masters a role's transport key comes from, and what it is diversified by. */
  transportRule(role: string): { readonly version: number; readonly factor: FactorKind };
  /** What may stand before a role's new key in a key record, hexadecimal: fixed with the issuer's master when it is made. */
  records(role: string): readonly string[];
  /** Key writes that an enabled app needs; 0 when it is as it should be, or better left alone. */
  writesToRenew(keys: AppKeys, targets: KeyTargets): number;
  /** Attempts in a row that fail before the card locks a role's key, or the app, for good. */
  tries(role: string): number;
  /** Roles whose refused key stays refused when a supervisor releases the card, because it is written again before it is used. */
  readonly rewritten: readonly string[];
}

/** What an app has noted from answers for its next commands; void after a stop, and for every other step of the plan. */
export const notesSchema = z.record(z.string(), z.json().optional());
export type Notes = Readonly<z.infer<typeof notesSchema>>;

/** What is known of an app when its work begins. */
export interface AppGlance {
  readonly app: string;
  readonly instanceAid: Aid;
  /** `renew`: the app is enabled, and moved to other versions of its keys. */
  readonly goal: 'enable' | 'renew';
  /** Null while it is not on the card. */
  readonly keys: AppKeys | null;
  readonly targets: KeyTargets;
  readonly notes: Notes;
  /** The command that says "enabled" may have reached the card: ask the card before sending it again. */
  readonly flagInDoubt: boolean;
  readonly account: string;
}

/** What is known of an app that is on the card. */
export interface AppWork extends AppGlance {
  readonly keys: AppKeys;
  readonly presence: Presence;
}

/** What a command is for, kept in the store until its answer comes: plain JSON, `kind` and whatever the dialect needs. */
export const appMeaningSchema = z.looseObject({ kind: z.string() });
export type AppMeaning = z.infer<typeof appMeaningSchema>;

/** One command to the app. */
export interface AppCommand {
  /** What staff and record read of it. */
  readonly name: StepName;
  readonly command: CommandApdu;
  readonly meaning: AppMeaning;
  /** Acceptable status words, as prefixes in hexadecimal; 9000 alone where left out. */
  readonly accept?: readonly string[];
  /** The answer's data must equal this where the mask has ones. */
  readonly expect?: { readonly value: Uint8Array; readonly mask: Uint8Array };
  /** The command changes the card or spends a try: it is noted on disk before it is sent. */
  readonly effect?: boolean;
}

export interface AppBatch {
  readonly commands: readonly AppCommand[];
  /** What has to be on record before these commands leave. */
  readonly change: AppChange;
  /** With these commands the app is done, so the next step's beginning may travel behind them. */
  readonly last: boolean;
}

/** How answers, or the intention to send, change what is known of the app. What is left out stays. */
export interface AppChange {
  readonly keys?: AppKeys;
  /** Replaces all notes. */
  readonly notes?: Notes;
  readonly flagInDoubt?: boolean;
  /** The card said that the app is enabled, last of all. */
  readonly enabled?: true;
  /** The card took a key of the app: what `keys` says of it is what this job's station saw. */
  readonly accepted?: true;
  /** The job changed the app on the card, or may have. */
  readonly touched?: true;
  /** The app fails; the first error stays, and other apps go on. */
  readonly fails?: ErrorCode;
  /** The card must not be issued any further. */
  readonly setAside?: AppSetAsideCode;
  /** The app starts again from `head`, a bounded number of times. */
  readonly beginAgain?: true;
}

export interface DialectPorts {
  readonly keys: KeyOperations;
  /** Day of issue and last day of validity, `YYYYMMDD`. */
  readonly dates: () => { readonly enabledOn: string; readonly validUntil: string };
}

/** The app's keys, and what the vault does with them. */
export interface KeyOperations {
  ref(role: string, key: KeyCandidate): CardKeyRef;
  /**
   * Asks an operation of the vault by its name; it gives bytes. Which card the keys are of is said once for the whole job, not by the
   * dialect: the vault refuses a key of another. @throws VaultError
   */
  ask(operation: string, request: object): Promise<Uint8Array>;
}
