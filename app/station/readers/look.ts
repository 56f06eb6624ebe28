/**
 * The key-less look: what a card says of itself without any key (docs/cards/demo-card.md "Look without keys"). The one
 * place where the station makes card commands itself, together with the GET CHALLENGE that opens a job.
 */
import { aidBytes, toAid } from '../../card/aid.ts';
import { decodeResponse, encodeCommand, encodeResponse, type ResponseApdu } from '../../card/apdu.ts';
import { toHex } from '../../card/bytes.ts';
import { type CardConnection, CardError } from '../../card/reader-port.ts';
import { identificationFiles, readSelected, selectFile } from '../../catalogue/identification.ts';
import {
  decidingObjects,
  freeMemory,
  LOOK_TAGS,
  type LookObject,
  mayBe,
  otherObjects,
  recognise,
} from '../../catalogue/recognise.ts';
import type { CardApplication, CardTypeProfile, Catalogue } from '../../catalogue/schema.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import {
  type CardFacts,
  cardFactsSchema,
  LIMITS,
  type ObservedApp,
  type Opening,
} from '../../protocol/wire.ts';
import { AnswerTooLong, exchange } from './transport.ts';

/** What the look found. Plain values. Apps are those of the catalogue that the card's type may carry. */
export interface CardLook {
  readonly facts: CardFacts;
  /** Null with `code`: the card is not one of ours, or contradicts itself. */
  readonly type: string | null;
  readonly code?: ErrorCode;
  /** The identification code; null for a card that is not known. */
  readonly identification: string | null;
  /** Bytes of non-volatile memory; null where the card does not say. */
  readonly freeMemory: number | null;
  readonly apps: readonly ObservedApp[];
  /**
   * Apps of the catalogue found on the card although its type does not foresee them: shown, not offered. What nobody
   * knows by name cannot be seen without keys.
   */
  readonly unforeseen: readonly string[];
  /** Apps whose SELECT the card answered neither yes nor "not there": their state is not known. */
  readonly unread: readonly string[];
  /** Milliseconds from the first command until everything was read that staff see. */
  readonly durationMs: number;
}

type Card = Pick<CardConnection, 'transmit' | 'atr'>;

/**
 * Looks at the card. The caller holds the transaction. What staff wait for is read first and given to `onSeen`; what only the server wants to
 * know is read after it, and is in the facts of the look that is returned.
 * @throws CardError when the card is gone, does not answer or answers nonsense.
 */
export async function lookAtCard(
  card: Card,
  catalogue: Catalogue,
  monotonic: () => number,
  onSeen: (look: CardLook) => void = () => undefined,
): Promise<CardLook> {
  const started = monotonic();
  const atr = toHex(card.atr);
  const deciding = decidingObjects(catalogue, atr);
  const objects = await readObjects(card, deciding);
  const files = await readFiles(card, catalogue, atr);
  const first = { atr, ...objects, ...(Object.keys(files).length > 0 ? { files } : {}) };
  const seen = { ...(await see(card, catalogue, factsOf(first))), durationMs: monotonic() - started };
  onSeen(seen);
  const others = await readObjects(card, otherObjects(catalogue, atr));
  return { ...seen, facts: factsOf({ ...first, ...others }) };
}

async function see(
  card: Card,
  catalogue: Catalogue,
  facts: CardFacts,
): Promise<Omit<CardLook, 'durationMs'>> {
  const recognition = recognise(catalogue, facts);
  const apps: ObservedApp[] = [];
  const unforeseen: string[] = [];
  const unread: string[] = [];
  const look = { facts, freeMemory: freeMemory(facts), apps, unforeseen, unread };
  if (!recognition.known) return { ...look, type: null, code: recognition.code, identification: null };
  const { profile, identification } = recognition;
  for (const app of catalogue.apps) {
    const foreseen = profile.apps[app.id] !== undefined;
    const there = await selectApp(card, app, catalogue);
    if (there === undefined && foreseen) unread.push(app.id);
    else if (there === true && !foreseen) unforeseen.push(app.id);
    else if (there !== undefined && foreseen) {
      apps.push(there ? await readApp(card, app, profile) : { app: app.id, state: 'missing' });
    }
  }
  return { ...look, type: profile.id, identification };
}

/** Objects that may be longer than one response: a card with many keys tells of them in several. */
const LONGEST_OBJECT: Partial<Record<LookObject, number>> = { keyInformation: LIMITS.keyInformationBytes };

/** SELECT of the issuer security domain, and GET DATA of each. What the card refuses, or is longer than anybody can use, is left out. */
async function readObjects(
  card: Card,
  names: readonly LookObject[],
): Promise<Partial<Record<LookObject, string>>> {
  const found: Partial<Record<LookObject, string>> = {};
  if (names.length === 0) return found;
  await send(card, encodeCommand({ cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, le: 256 }));
  for (const name of names) {
    const tag = LOOK_TAGS[name];
    const command = { cla: 0x80, ins: 0xca, p1: tag >> 8, p2: tag & 0xff, le: 256 };
    const most = LONGEST_OBJECT[name] ?? LIMITS.objectBytes;
    const answer = await send(card, encodeCommand(command), most);
    if (answer.sw === 0x9000 && answer.data.length > 0) found[name] = toHex(answer.data);
  }
  return found;
}

function factsOf(found: Record<string, unknown>): CardFacts {
  const facts = cardFactsSchema.safeParse(found);
  if (!facts.success) throw new CardError('communication', 'an object that cannot be');
  return facts.data;
}

/** Files in which a card of a type that this one may be says who it is (docs/profiles.md "identification"). */
async function readFiles(card: Card, catalogue: Catalogue, atr: string): Promise<Record<string, string>> {
  const wanted = identificationFiles(catalogue.profiles, (profile) => mayBe(profile, atr));
  const files: Record<string, string> = {};
  for (const { name, path, length } of wanted.slice(0, LIMITS.files)) {
    let there = true;
    for (const command of selectFile(path))
      there &&= (await send(card, encodeCommand(command))).sw === 0x9000;
    if (!there) continue;
    const answer = await send(card, encodeCommand(readSelected(0, length)));
    if (answer.sw === 0x9000 && answer.data.length > 0) files[name] = toHex(answer.data);
  }
  return files;
}

/**
 * State of an app that is selected. One whose state cannot be read counts as installed: only the card's own clear word makes it enabled.
 */
async function readApp(card: Card, app: CardApplication, profile: CardTypeProfile): Promise<ObservedApp> {
  const rule = profile.apps[app.id];
  if (rule === undefined) return { app: app.id, state: 'installed' };
  const read = await send(card, encodeCommand(rule.look.command));
  const state = read.sw === 0x9000 && rule.look.isEnabled(read.data) ? 'enabled' : 'installed';
  if (!app.purse || rule.balance === null) return { app: app.id, state };
  const answer = await send(card, encodeCommand(rule.balance.command));
  const balance = answer.sw === 0x9000 ? rule.balance.amount(answer.data) : undefined;
  return balance === undefined ? { app: app.id, state } : { app: app.id, state, balance };
}

/**
 * SELECT by AID: whether the card has the app. 6A82 = not there; what the app's dialects call blocked = there; from anything else
 * nothing can be told.
 */
async function selectApp(
  card: Card,
  app: CardApplication,
  { profiles }: Catalogue,
): Promise<boolean | undefined> {
  const { sw } = await send(card, selectCommand(app));
  if (sw === 0x9000) return true;
  if (profiles.some(({ apps }) => apps[app.id]?.look.blocked.includes(sw) === true)) return true;
  return sw === 0x6a82 ? false : undefined;
}

/**
 * SELECT of the first app to be enabled and the command that its dialect has for the opening, nothing in between (design §3 "opening").
 * Undefined when it has none, or when the answers are of no use to it: the job then goes without an opening.
 * @throws CardError
 */
export async function readOpening(
  card: Card,
  app: CardApplication,
  { plan }: CardTypeProfile['apps'][string],
): Promise<Opening | undefined> {
  if (plan.opening === null) return undefined;
  const select = await send(card, selectCommand(app));
  if (select.sw !== 0x9000) return undefined;
  const challenge = await send(card, encodeCommand(plan.opening));
  const text = (answer: ResponseApdu) => toHex(encodeResponse(answer));
  const opening = { app: app.id, select: text(select), challenge: text(challenge) };
  return plan.takeOpening(opening) === undefined ? undefined : opening;
}

function selectCommand(app: CardApplication): Uint8Array {
  const aid = aidBytes(toAid(app.instanceAid));
  return encodeCommand({ cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, data: aid, le: 256 });
}

/** What stands for an answer that is of no use; no card gives it, and nothing takes it for a yes. */
const NO_ANSWER: ResponseApdu = { data: new Uint8Array(0), sw: 0x0000 };

/** One thing of the look. A card that says too much of it has not said it: the look goes on, because the rest may be all that is needed. */
async function send(card: Card, command: Uint8Array, most?: number): Promise<ResponseApdu> {
  try {
    const whole = await exchange(card, command, {
      repeatable: true,
      ...(most === undefined ? {} : { most }),
    });
    return decodeResponse(whole);
  } catch (error) {
    if (error instanceof AnswerTooLong) return NO_ANSWER;
    throw error;
  }
}
