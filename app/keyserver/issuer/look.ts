/**
 * Asking the card itself which apps it has: GET STATUS in a channel whose answers carry the card's MAC. A station's look is a claim, however often
 * it is told; this list is not, and it is the one thing besides a deletion that may take keys, tries and refusals from the record. It travels in a
 * batch that goes out anyway, and only where something is in doubt. Pure.
 */
import { aidBytes } from '../../card/aid.ts';
import { toHex } from '../../card/bytes.ts';
import type { Fate } from '../../dialects/fate.ts';
import { GpFormatError } from '../../globalplatform/errors.ts';
import type { SecureChannel } from '../../globalplatform/secure-channel.ts';
import { R_MAC } from '../../globalplatform/security-level.ts';
import { getStatus, parseStatus } from '../../globalplatform/status.ts';
import { type CardTypeFacts, transportKeysOf } from './app-work.ts';
import { type CardAppState, withApp } from './card-state.ts';
import { notLoaded } from './content-known.ts';
import { protectedDraft } from './domain-channel.ts';
import type { Draft } from './draft.ts';
import { ANY_ANSWER } from './heads.ts';
import { failApp, type JobOnCard, progress } from './progress.ts';
import type { Meaning, Sent } from './state.ts';

type Facts = Pick<CardTypeFacts, 'profile'>;

/** 4F and 9F70: AID and lifecycle state, so that ten entries fit one answer. */
const SHORT_ENTRY = Uint8Array.of(0x4f, 0x9f, 0x70);

/**
 * The card's list of apps, asked for in `channel` behind everything that changes them; nothing where nothing is in doubt or the answer would prove
 * nothing. `installed`: apps that the same batch installs, of which the card's answer to that speaks. Whatever it says, the batch goes on.
 */
export function lookDrafts(
  at: number,
  channel: SecureChannel,
  doubted: readonly string[],
  { profile }: Facts,
): Draft[] {
  if (doubted.length === 0 || (channel.securityLevel & R_MAC) === 0) return [];
  // Tag lists came with GPC 2.2, and SCP03 with a later version: an SCP02 card may not know them.
  const tags = profile.securityDomain?.scp === '03' ? SHORT_ENTRY : undefined;
  const command = getStatus('applications', 'tlv', 'first', tags);
  const meaning: Meaning = { kind: 'look', apps: [...doubted] };
  return [protectedDraft(at, channel, 'read-card-state', command, meaning, { accept: ANY_ANSWER })];
}

/** What the card's list says of every app of its type. An answer without the card's MAC says nothing, whatever is in it. */
export function absorbLook(
  now: JobOnCard,
  { guarded }: Pick<Sent, 'guarded'>,
  { apps: doubted }: Extract<Meaning, { kind: 'look' }>,
  fate: Fate,
  facts: CardTypeFacts,
): JobOnCard {
  const list = guarded ? listOf(fate, facts) : undefined;
  if (list === undefined) return now;
  return Object.keys(facts.profile.apps).reduce((next, app) => {
    const asked = doubted.includes(app);
    if (list.aids.has(toHex(aidBytes(facts.app(app).instanceAid)))) return there(next, app, asked, facts);
    return list.whole && asked ? notThere(next, app) : next;
  }, now);
}

interface List {
  readonly aids: ReadonlySet<string>;
  /** Nothing else is on the card. */
  readonly whole: boolean;
}

const SUCCESS = 0x9000;
/** More entries than one answer holds. */
const MORE = 0x6310;
/** No app at all. SCP03 gives refusals no MAC (Amendment D §6.2.5), so that a station can invent this one. */
const NONE = 0x6a88;

function listOf(fate: Fate, { profile }: Facts): List | undefined {
  if (fate.kind !== 'ok' || !fate.answered) return undefined;
  switch (fate.sw) {
    case SUCCESS:
    case MORE: {
      const aids = read(fate.data);
      return aids && { aids, whole: fate.sw === SUCCESS };
    }
    case NONE:
      return profile.securityDomain?.scp === '02' ? { aids: new Set(), whole: true } : undefined;
    default:
      return undefined;
  }
}

/** AIDs of the entries; undefined for what is no list. An empty one is none: a card that has no app says so by a status word. */
function read(data: Uint8Array): ReadonlySet<string> | undefined {
  try {
    const entries = parseStatus('applications', 'tlv', data);
    return entries.length === 0 ? undefined : new Set(entries.map(({ aid }) => toHex(aidBytes(aid))));
  } catch (error) {
    if (error instanceof GpFormatError) return undefined;
    throw error;
  }
}

const SEEN = { by: 'seen' } as const;

/** The instance is on the card. That says nothing of its keys: those that it may have stay possible. */
function there(now: JobOnCard, app: string, asked: boolean, facts: CardTypeFacts): JobOnCard {
  const known = now.card.apps[app];
  const state = isThere(now, app, known, asked, facts);
  if (state === undefined) return now;
  const next = unseen({ ...now, card: withApp(now.card, app, () => state) }, app, 'missing');
  const one = next.job.apps[app];
  if (one === undefined || one.after !== 'missing') return next;
  const after = one.before === 'missing' ? 'installed' : one.before;
  const told = progress(next, app, { after, contentInDoubt: false });
  // Its deletion is what the station told of it, and did not happen.
  return one.action === 'delete' ? failApp(told, app, 'card-answer-unproven') : told;
}

/** What is known of it now; undefined where that is nothing new. */
function isThere(
  now: JobOnCard,
  app: string,
  known: CardAppState | undefined,
  asked: boolean,
  facts: CardTypeFacts,
): CardAppState | undefined {
  if (known !== undefined && known.keys !== null) {
    if (!asked) return known.ground === undefined ? { ...known, ground: SEEN } : undefined;
    return {
      ...notLoaded(known),
      state: known.state === 'missing' ? 'installed' : known.state,
      inDoubt: false,
      ground: SEEN,
    };
  }
  // Its deletion was only said: everything is as it was before.
  if (known?.kept !== undefined) {
    const { kept, ...rest } = notLoaded(known);
    return { ...rest, ...kept, inDoubt: false, ground: SEEN };
  }
  const keys = transportKeysOf(now, app, facts);
  if (keys === undefined) return undefined;
  const { instance = 0, loadFileHash = null } = known ?? {};
  return { state: 'installed', instance: instance + 1, loadFileHash, inDoubt: false, keys, ground: SEEN };
}

/** The instance is not on the card, so its keys are not either, nor are their tries and refusals. */
function notThere(now: JobOnCard, app: string): JobOnCard {
  const known = now.card.apps[app];
  if (known === undefined) return now;
  const { instance, state, keys, inDoubt, loadFileHash, loaded } = known;
  // Its package may have been left behind, which no list of apps shows.
  const left = inDoubt && state === 'missing' && keys === null;
  const gone: CardAppState = {
    state: 'missing',
    instance,
    loadFileHash: left ? loadFileHash : null,
    inDoubt: left,
    keys: null,
    ground: SEEN,
    ...(left && loaded !== undefined ? { loaded } : {}),
  };
  const next = unseen({ ...now, card: withApp(now.card, app, () => gone) }, app, 'any');
  const one = next.job.apps[app];
  if (one === undefined) return next;
  const told = progress(next, app, { after: 'missing', contentInDoubt: false });
  // It was to be enabled or renewed because its station said that it is there.
  return one.action === 'delete' ? told : failApp(told, app, 'card-answer-unproven');
}

/** What the station saw of the app is not asked any more where the card itself has said otherwise. */
function unseen(now: JobOnCard, app: string, what: 'missing' | 'any'): JobOnCard {
  const { [app]: seen, ...others } = now.job.seen;
  if (seen === undefined || (what === 'missing' && seen !== 'missing')) return now;
  return { ...now, job: { ...now.job, seen: others } };
}
