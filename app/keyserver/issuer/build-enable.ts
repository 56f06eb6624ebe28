/**
 * Enabling one FMCOS app: authenticate, maintenance key, master control key, and the public file with the enabled flag last.
 * Each command takes a challenge of its own; where the app stands is read off its key slots, so that going on after a tear
 * and starting are the same thing.
 */
import { fromHex } from '../../card/bytes.ts';
import type { KeySlot } from '../../catalogue/schema.ts';
import { externalAuthenticate, updateBinaryWithMac, writeKey } from '../../dialects/fmcos/commands.ts';
import { PUBLIC_FILE_UPDATE_OFFSET, publicFileUpdate } from '../../dialects/fmcos/public-file.ts';
import {
  certainKey,
  intendWrite,
  isCertainly,
  type KeyCandidate,
  type KeySlotState,
  mayTry,
  type SlotName,
  spendTry,
  writeDone,
} from '../../dialects/key-slots.ts';
import type { CardKeyRef } from '../vault/keys.ts';
import { withSlot } from './card-state.ts';
import { type Draft, draft } from './draft.ts';
import { challenge, headOf } from './heads.ts';
import type { IssuerPorts } from './ports.ts';
import { failApp, type JobOnCard, progress } from './progress.ts';
import { isRenewed } from './renew.ts';
import type { JobState, Meaning } from './state.ts';

/** Wrong MACs in a row on the public file that lock the application for good. */
const MOST_WRONG_MACS = 3;

/** Commands of one plan step, and job and card as they are once these are out. */
export interface NextCommands {
  readonly drafts: readonly Draft[];
  readonly next: JobOnCard;
}

type AppStep = Extract<JobState['steps'][number], { app: string }>;

/** The next commands for the app of `step`, which is under way; none when it cannot go on (its error is in `next`). */
export async function buildEnable(
  now: JobOnCard,
  { kind, app }: AppStep,
  ports: IssuerPorts,
): Promise<NextCommands> {
  const at = now.job.at;
  const keys = now.card.apps[app]?.keys;
  const target = now.job.targets[app];
  const rule = ports.profile.apps[app];
  if (keys == null || target === undefined || rule === undefined)
    return fails(now, app, 'app-not-for-this-card');
  if (keys.mck.refused) return fails(now, app, 'card-refused-key');

  const given = now.job.scratch.challenge;
  if (given === undefined || given.step !== at) return { drafts: headOf(now, at, ports), next: now };
  const random = fromHex(given.value);
  if (random.length !== 4) return fails(now, app, 'card-refused-command');

  if (now.job.scratch.authenticated !== at) return authenticate(now, app, keys.mck, rule.mck, random, ports);
  const master = certainKey(keys.mck);
  if (master === undefined) return fails(now, app, 'card-refused-key');
  if (keys.mtk.refused || !isCertainly(keys.mtk, target.mtk)) {
    return write(
      now,
      app,
      'mtk',
      { slot: keys.mtk, layout: rule.mtk, target: target.mtk, master, random },
      ports,
    );
  }
  if (!isCertainly(keys.mck, target.mck)) {
    return write(
      now,
      app,
      'mck',
      { slot: keys.mck, layout: rule.mck, target: target.mck, master, random },
      ports,
    );
  }
  if (kind === 'renew') return { drafts: [], next: now };
  if (!mayTry(keys.mtk, MOST_WRONG_MACS)) return fails(now, app, 'card-tries-low');
  return writeFlag(now, app, target.mtk, random, ports);
}

/** The try is counted before it is sent; with two keys possible the newer one is tried first. */
async function authenticate(
  now: JobOnCard,
  app: string,
  slot: KeySlotState,
  layout: KeySlot,
  random: Uint8Array,
  ports: IssuerPorts,
): Promise<NextCommands> {
  const key = slot.candidates[0];
  if (key === undefined || !mayTry(slot, layout.counter >> 4)) return fails(now, app, 'card-tries-low');
  const command = await externalAuthenticate(ports.fmcosKeys, keyRef(app, 'mck', key), random, layout.keyId);
  return {
    drafts: [
      draft(now.job.at, 'authenticate', command, { kind: 'authenticate', app, key }, { app, effect: true }),
      challenge(now.job.at, app),
    ],
    next: { ...now, card: withSlot(now.card, app, 'mck', spendTry) },
  };
}

interface WriteRequest {
  readonly slot: KeySlotState;
  readonly layout: KeySlot;
  readonly target: KeyCandidate;
  /** The master control key that is proven to be on the card. */
  readonly master: KeyCandidate;
  readonly random: Uint8Array;
}

async function write(
  now: JobOnCard,
  app: string,
  name: SlotName,
  { slot, layout, target, master, random }: WriteRequest,
  ports: IssuerPorts,
): Promise<NextCommands> {
  // A slot in doubt is resolved first, with the key it was being changed to; the target may be a newer one by now.
  const key = certainKey(slot) === undefined ? (slot.candidates[0] ?? target) : target;
  const { typeInside, useRight, changeRight, nextState, counter } = layout;
  const command = await writeKey(ports.fmcosKeys, {
    under: keyRef(app, 'mck', master),
    newKey: keyRef(app, name, key),
    p1: layout.type,
    keyId: layout.keyId,
    header: { typeInside, useRight, changeRight, nextState, counter },
    challenge: random,
  });
  const step = name === 'mtk' ? 'write-maintenance-key' : 'write-master-control-key';
  const meaning: Meaning = { kind: 'write', app, slot: name, key, before: [...slot.candidates] };
  const next = { ...now, card: withSlot(now.card, app, name, (state) => intendWrite(state, key)) };
  // Behind the last write of a renewal nothing follows for this app: the next step's beginning travels along.
  const behind = isLastWrite(now, app, name, key)
    ? headOf(next, nextStep(next), ports)
    : [challenge(now.job.at, app)];
  return { drafts: [draft(now.job.at, step, command, meaning, { app, effect: true }), ...behind], next };
}

function isLastWrite(now: JobOnCard, app: string, name: SlotName, key: KeyCandidate): boolean {
  if (now.job.steps[now.job.at]?.kind !== 'renew') return false;
  const card = withSlot(now.card, app, name, (slot) => writeDone(slot, key));
  return isRenewed(now.job, card, app);
}

/** The card says "enabled" last of all; the next step's beginning travels behind it. */
async function writeFlag(
  now: JobOnCard,
  app: string,
  maintenance: KeyCandidate,
  random: Uint8Array,
  ports: IssuerPorts,
): Promise<NextCommands> {
  const file = ports.profile.apps[app]?.publicFile;
  if (file === undefined) return fails(now, app, 'app-not-for-this-card');
  const card = withSlot(now.card, app, 'mtk', spendTry);
  const command = await updateBinaryWithMac(ports.fmcosKeys, keyRef(app, 'mtk', maintenance), {
    sfi: file.shortFileId,
    offset: PUBLIC_FILE_UPDATE_OFFSET,
    data: publicFileUpdate({ account: now.job.account, ...ports.dates() }),
    challenge: random,
  });
  return {
    drafts: [
      draft(now.job.at, 'write-enabled-flag', command, { kind: 'flag', app }, { app, effect: true }),
      ...headOf(now, nextStep(now), ports),
    ],
    next: progress({ ...now, card }, app, { flagInDoubt: true }),
  };
}

/** The plan step that will follow: apps that failed already are passed over. */
export function nextStep(now: JobOnCard): number {
  const { steps, apps, at } = now.job;
  const next = steps.findIndex((step, i) => i > at && (!('app' in step) || apps[step.app]?.error === null));
  return next === -1 ? steps.length : next;
}

function keyRef(app: string, slot: SlotName, key: KeyCandidate): CardKeyRef {
  return {
    master: { purpose: `app/${app}/${slot}`, origin: key.origin, version: key.version },
    factor: fromHex(key.factor),
  };
}

function fails(now: JobOnCard, app: string, code: Parameters<typeof failApp>[2]): NextCommands {
  return { drafts: [], next: failApp(now, app, code) };
}
