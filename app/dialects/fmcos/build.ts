/**
 * Enabling one FMCOS app, or moving its keys: authenticate, maintenance key, master control key, and the public file with the enabled flag
 * last. Each command takes a challenge of its own; where the app stands is read off its key slots, so that going on after a tear and
 * starting are the same thing.
 */
import { fromHex } from '../../card/bytes.ts';
import type { AppBatch, AppWork, DialectPorts } from '../dialect.ts';
import {
  attemptOf,
  certainKey,
  intendRewrite,
  intendWrite,
  isCertainly,
  type KeyCandidate,
  spendTry,
  writeDone,
} from '../key-slots.ts';
import { allCurrent, slotOf, targetOf, withSlot } from '../keys.ts';
import { externalAuthenticate, updateBinaryWithMac, writeKey } from './commands.ts';
import { challenge, type FmcosCommand } from './head.ts';
import { type FmcosNotes, notesSchema } from './meaning.ts';
import { PUBLIC_FILE_UPDATE_OFFSET, publicFileUpdate } from './public-file.ts';
import { type FmcosRole, MCK, MTK } from './roles.ts';
import { type FmcosRule, MOST_WRONG_MACS, maximumTries } from './rule.ts';
import { fmcosKeys } from './vault-keys.ts';

/** The batch with its challenge taken off the notes: it is good for one command. */
interface Turn {
  readonly rule: FmcosRule;
  readonly work: AppWork;
  readonly random: Uint8Array;
  readonly notes: Omit<FmcosNotes, 'challenge'>;
  readonly ports: DialectPorts;
}

export async function build(
  rule: FmcosRule,
  work: AppWork,
  ports: DialectPorts,
): Promise<AppBatch | 'from-head' | 'show-first'> {
  const { keys, targets } = work;
  const [mck, mtk] = [slotOf(keys, MCK), slotOf(keys, MTK)];
  if (mck.refused) return fails('card-refused-key');
  const { challenge: given, ...notes } = notesSchema.parse(work.notes);
  if (given === undefined) return 'from-head';
  const random = fromHex(given);
  if (random.length !== 4) return fails('card-refused-command');
  const turn: Turn = { rule, work, random, notes, ports };

  if (notes.authenticated !== true) return authenticate(turn);
  const master = certainKey(mck);
  if (master === undefined) return fails('card-refused-key');
  if (mtk.refused || !isCertainly(mtk, targetOf(targets, MTK))) return write(turn, MTK, master);
  if (!isCertainly(mck, targetOf(targets, MCK))) return write(turn, MCK, master);
  if (work.goal === 'renew') return { commands: [], change: {}, last: true };
  const attempt = attemptOf(mtk, MOST_WRONG_MACS, work.presence);
  if (attempt === 'show-first') return attempt;
  return attempt === 'send' ? writeFlag(turn) : fails('card-tries-low');
}

/** The try is counted before it is sent; with two keys possible the newer one is tried first. */
async function authenticate({ rule, work, random, notes, ports }: Turn): Promise<AppBatch | 'show-first'> {
  const slot = slotOf(work.keys, MCK);
  const key = slot.candidates[0];
  const attempt = attemptOf(slot, maximumTries(rule.mck), work.presence);
  if (attempt === 'show-first') return attempt;
  if (key === undefined || attempt === 'keep') return fails('card-tries-low');
  const ref = ports.keys.ref(MCK, key);
  const command = await externalAuthenticate(fmcosKeys(ports.keys), ref, random, rule.mck.keyId);
  const sent: FmcosCommand = {
    name: 'authenticate',
    command,
    meaning: { kind: 'authenticate', key },
    effect: true,
  };
  return {
    commands: [sent, challenge()],
    change: { notes, keys: withSlot(work.keys, MCK, spendTry) },
    last: false,
  };
}

const WRITES = { [MTK]: 'write-maintenance-key', [MCK]: 'write-master-control-key' } as const;

/** `master` is proven to be on the card. Behind the last write of a renewal nothing follows for this app. */
async function write(turn: Turn, role: FmcosRole, master: KeyCandidate): Promise<AppBatch> {
  const { rule, work, random, notes, ports } = turn;
  const slot = slotOf(work.keys, role);
  // A slot in doubt is resolved first, with the key it was being changed to; the target may be a newer one by now.
  const target = targetOf(work.targets, role);
  const doubt = certainKey(slot) === undefined ? slot.candidates[0] : undefined;
  const outdated = doubt !== undefined && role === MTK && isOutdated(doubt, target, master);
  const key = outdated ? target : (doubt ?? target);
  const { type, keyId, typeInside, useRight, changeRight, nextState, counter } = rule[role];
  const command = await writeKey(fmcosKeys(ports.keys), {
    under: ports.keys.ref(MCK, master),
    newKey: ports.keys.ref(role, key),
    p1: type,
    keyId,
    header: { typeInside, useRight, changeRight, nextState, counter },
    challenge: random,
  });
  const sent: FmcosCommand = {
    name: WRITES[role],
    command,
    meaning: { kind: 'write', slot: role, key, before: [...slot.candidates] },
    effect: true,
  };
  const written = withSlot(work.keys, role, (state) => writeDone(state, key));
  const last = work.goal === 'renew' && allCurrent(written, work.targets);
  return {
    commands: last ? [sent] : [sent, challenge()],
    change: {
      notes,
      keys: withSlot(work.keys, role, (state) => (outdated ? intendRewrite : intendWrite)(state, key)),
    },
    last,
  };
}

/**
 * A key of an account alone, as older versions made them: it is put under no transport key any more (app/keyserver/vault/). The maintenance
 * key is never tried, so the slot can go to the new one at once. To a manufacturer's key no slot is changed: where one comes first, what a station said
 * of the card stands before what a receipt knew.
 */
function isOutdated(doubt: KeyCandidate, target: KeyCandidate, master: KeyCandidate): boolean {
  return doubt.origin === 'factory' || (master.origin === 'factory' && doubt.factor !== target.factor);
}

/** The card says "enabled" last of all. */
async function writeFlag({ rule, work, random, notes, ports }: Turn): Promise<AppBatch> {
  const ref = ports.keys.ref(MTK, targetOf(work.targets, MTK));
  const command = await updateBinaryWithMac(fmcosKeys(ports.keys), ref, {
    sfi: rule.publicFile.shortFileId,
    offset: PUBLIC_FILE_UPDATE_OFFSET,
    data: publicFileUpdate({ account: work.account, ...ports.dates() }),
    challenge: random,
  });
  const sent: FmcosCommand = {
    name: 'write-enabled-flag',
    command,
    meaning: { kind: 'flag' },
    effect: true,
  };
  return {
    commands: [sent],
    change: { notes, keys: withSlot(work.keys, MTK, spendTry), flagInDoubt: true },
    last: true,
  };
}

function fails(code: NonNullable<AppBatch['change']['fails']>): AppBatch {
  return { commands: [], change: { fails: code }, last: false };
}
