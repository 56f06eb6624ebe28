/** INITIALIZE UPDATE and EXTERNAL AUTHENTICATE (GPC 2.3.1 E.5, Amendment D §7.1). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex } from '../../card/bytes.ts';
import type { StaticKeys } from '../channel/channel.ts';
import { startScp02 } from '../channel/scp02.ts';
import { startScp03 } from '../channel/scp03.ts';
import type { CardImage, DomainKey, KeySet } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { PendingChannel, Turn } from '../turn.ts';

const NO_FAILURE_COUNT: readonly number[] = [SW.wrongP1P2];

/** 00 00 and the identification code: what the factory's keys are diversified with. 10 bytes. */
export function diversificationData(image: CardImage): Uint8Array {
  return concat(new Uint8Array(2), fromHex(image.identificationCode));
}

/** Key id 1, 2 and 3 of a set: ENC, MAC, DEK; undefined when one is missing. */
function channelKeys(set: KeySet): [DomainKey, DomainKey, DomainKey] | undefined {
  const [enc, mac, dek] = [1, 2, 3].map((id) => set.keys.find((key) => key.id === id));
  return enc !== undefined && mac !== undefined && dek !== undefined ? [enc, mac, dek] : undefined;
}

/** The set KVN 00 stands for: the first with channel keys. */
export function defaultKeySet(image: CardImage): KeySet | undefined {
  return image.domain.keySets.find((set) => channelKeys(set) !== undefined);
}

/** INITIALIZE UPDATE. */
export function initializeUpdate(turn: Turn, command: CommandApdu): ResponseApdu {
  const { image } = turn;
  if (command.cla !== 0x80) throw new Refusal(SW.wrongCla);
  if (command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  const hostChallenge = command.data ?? new Uint8Array(0);
  if (hostChallenge.length !== 8) throw new Refusal(SW.wrongLength);
  requireNotLocked(image);
  const set =
    command.p1 === 0
      ? defaultKeySet(image)
      : image.domain.keySets.find(({ version }) => version === command.p1);
  const keys = set === undefined ? undefined : channelKeys(set);
  if (set === undefined || keys === undefined) throw new Refusal(SW.referenceNotFound);
  const { scp, i } = image.domain.protocol;
  const kind = scp === '02' ? 'des3' : 'aes';
  if (keys.some((key) => key.kind !== kind || (scp === '02' && key.value.length !== 32)))
    throw new Refusal(SW.conditions);
  const [enc, mac, dek] = keys.map(({ value }) => fromHex(value));
  if (enc === undefined || mac === undefined || dek === undefined) throw new Refusal(SW.referenceNotFound);
  const statics: StaticKeys = { version: set.version, enc, mac, dek };
  const start = {
    keys: statics,
    i,
    hostChallenge,
    sequenceCounter: set.sequenceCounter,
    aid: fromHex(image.domain.aid),
    random: turn.random,
  };
  const { answer, open } = scp === '02' ? startScp02(start) : startScp03(start);
  turn.volatile.pending = { keyVersion: set.version, open };
  return ok(concat(diversificationData(image), answer));
}

/** EXTERNAL AUTHENTICATE; must follow INITIALIZE UPDATE directly. */
export function externalAuthenticate(
  turn: Turn,
  command: CommandApdu,
  pending: PendingChannel | undefined,
): ResponseApdu {
  const { domain } = turn.image;
  if (command.cla !== 0x84) throw new Refusal(SW.wrongCla);
  if (command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  const data = command.data ?? new Uint8Array(0);
  if (data.length !== 16) throw new Refusal(SW.wrongLength);
  requireNotLocked(turn.image);
  const set = domain.keySets.find(({ version }) => version === pending?.keyVersion);
  if (pending === undefined || set === undefined) throw new Refusal(SW.conditions);
  try {
    turn.volatile.channel = pending.open(data, command.p1);
  } catch (error) {
    if (error instanceof Refusal && !NO_FAILURE_COUNT.includes(error.sw)) domain.failedAuthentications += 1;
    throw error;
  }
  domain.failedAuthentications = 0;
  // E.1.2: the counter moves when, and only when, the first C-MAC of a session was right.
  set.sequenceCounter += 1;
  return ok();
}

/** Velocity check (GPC 2.3.1 §10.2.3): too many failures in a row lock the domain's keys for good. */
function requireNotLocked(image: CardImage): void {
  if (image.domain.failedAuthentications >= image.domain.failureLimit) throw new Refusal(SW.blocked);
}
