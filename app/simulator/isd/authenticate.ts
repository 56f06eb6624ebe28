/** INITIALIZE UPDATE and EXTERNAL AUTHENTICATE (GPC 2.3.1 §E.5, Amendment D §7.1). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex } from '../../card/bytes.ts';
import type { StaticKeys } from '../channel/channel.ts';
import { startScp02 } from '../channel/scp02.ts';
import { startScp03 } from '../channel/scp03.ts';
import type { CardImage, DomainKey, DomainState, KeySet } from '../image.ts';
import { domainOf, hierarchyOf, type SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { PendingChannel, Turn } from '../turn.ts';

/** Status words that do not count as a failed attempt: the parameters were wrong before any key was used. */
const NO_FAILURE_COUNT: readonly number[] = [SW.wrongP1P2];
/** Option bit of SCP03: the card challenge is made from the sequence counter. */
const PSEUDO_RANDOM = 0x10;
/** Option bit of SCP03: challenges, cryptograms and MACs of 16 bytes. */
const S16 = 0x01;
const COUNTER_END = { '02': 0xffff, '03': 0xffffff } as const;

/** 00 00 and the identification code: what the factory's keys are diversified with. 10 bytes. */
export function diversificationData(image: CardImage): Uint8Array {
  return concat(new Uint8Array(2), fromHex(image.identificationCode));
}

/** Key id 1, 2 and 3 of a set: ENC, MAC, DEK; undefined when one is missing. */
export function channelKeys(set: KeySet): [DomainKey, DomainKey, DomainKey] | undefined {
  const [enc, mac, dek] = [1, 2, 3].map((id) => set.keys.find((key) => key.id === id));
  return enc !== undefined && mac !== undefined && dek !== undefined ? [enc, mac, dek] : undefined;
}

/** The set KVN 00 stands for: the first with channel keys. */
export function defaultKeySet(state: Pick<DomainState, 'keySets'>): KeySet | undefined {
  return state.keySets.find((set) => channelKeys(set) !== undefined);
}

/** The domain itself, or, while it has no keys of its own, the nearest one above that has. */
export function keyProvider(image: CardImage, aid: string): SecurityDomain | undefined {
  return hierarchyOf(image, aid)
    .map((above) => domainOf(image, above))
    .find((domain) => domain !== undefined && defaultKeySet(domain.state) !== undefined);
}

/** INITIALIZE UPDATE. */
export function initializeUpdate(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const { image } = turn;
  if (command.cla !== 0x80) throw new Refusal(SW.wrongCla);
  if (command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  const { scp, i } = domain.state.protocol;
  const hostChallenge = command.data ?? new Uint8Array(0);
  const length = scp === '03' && (i & S16) !== 0 ? 16 : 8;
  if (hostChallenge.length !== length) throw new Refusal(SW.wrongLength);
  const provider = keyProvider(image, domain.aid);
  if (provider === undefined) throw new Refusal(SW.referenceNotFound);
  requireNotLocked(provider);
  const set =
    command.p1 === 0
      ? defaultKeySet(provider.state)
      : provider.state.keySets.find(({ version }) => version === command.p1);
  if (set === undefined) throw new Refusal(SW.referenceNotFound);
  const keys = staticKeys(set, scp);
  const predictable = scp === '03' && (i & PSEUDO_RANDOM) !== 0;
  if (set.sequenceCounter >= COUNTER_END[scp]) throw new Refusal(SW.conditions);
  // Amendment D §6.2.2.1: counted up for each challenge, and the new value used.
  if (predictable) set.sequenceCounter += 1;
  const start = {
    keys,
    i,
    hostChallenge,
    sequenceCounter: set.sequenceCounter,
    aid: fromHex(domain.aid),
    random: turn.random,
  };
  const { answer, open } = scp === '02' ? startScp02(start) : startScp03(start);
  turn.volatile.pending = {
    provider: provider.aid,
    keyVersion: set.version,
    macLength: length,
    open,
  };
  return ok(concat(diversificationData(image), answer));
}

/** The three keys of a set, if they are what the protocol needs: two-key 3DES, or AES keys of one length. */
function staticKeys(set: KeySet, scp: '02' | '03'): StaticKeys {
  const keys = channelKeys(set);
  const [first] = keys ?? [];
  const kind = scp === '02' ? 'des3' : 'aes';
  const isUsable = keys?.every(
    (key) =>
      key.kind === kind &&
      key.value.length === first?.value.length &&
      (scp === '03' || key.value.length === 32),
  );
  if (keys === undefined || !isUsable) throw new Refusal(SW.referenceNotFound);
  const [enc, mac, dek] = keys;
  return {
    version: set.version,
    enc: fromHex(enc.value),
    mac: fromHex(mac.value),
    dek: fromHex(dek.value),
  };
}

/** EXTERNAL AUTHENTICATE; must follow INITIALIZE UPDATE directly. */
export function externalAuthenticate(
  turn: Turn,
  command: CommandApdu,
  pending: PendingChannel | undefined,
): ResponseApdu {
  if (command.cla !== 0x84) throw new Refusal(SW.wrongCla);
  if (command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  const data = command.data ?? new Uint8Array(0);
  const provider = pending && domainOf(turn.image, pending.provider);
  if (provider !== undefined) requireNotLocked(provider);
  if (data.length !== 2 * (pending?.macLength ?? 8)) throw new Refusal(SW.wrongLength);
  const set = provider?.state.keySets.find(({ version }) => version === pending?.keyVersion);
  if (pending === undefined || provider === undefined || set === undefined) throw new Refusal(SW.conditions);
  const { state } = provider;
  try {
    turn.volatile.channel = pending.open(data, command.p1);
  } catch (error) {
    if (error instanceof Refusal && !NO_FAILURE_COUNT.includes(error.sw)) state.failedAuthentications += 1;
    throw error;
  }
  turn.volatile.keyOwner = provider.aid;
  state.failedAuthentications = 0;
  // §E.1.2: the counter moves when, and only when, the first C-MAC of a session was right.
  if (domainScp(set) === '02') set.sequenceCounter += 1;
  return ok();
}

/** Which protocol a set's keys are for. */
function domainScp(set: KeySet): '02' | '03' {
  return channelKeys(set)?.[0].kind === 'aes' ? '03' : '02';
}

/** Velocity check (GPC 2.3.1 §9.6.7): too many failures in a row lock the domain's keys for good. */
function requireNotLocked({ state }: SecurityDomain): void {
  if (state.failedAuthentications >= state.failureLimit) throw new Refusal(SW.blocked);
}
