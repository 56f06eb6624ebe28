/**
 * Cards whose challenges follow from their sequence counter: the answer to INITIALIZE UPDATE is computed before it is asked for, so
 * a job that opens with a secure channel has its first commands in the first reply (design §3: one trip less). The station
 * compares the card's answer, cryptogram and all, with the one foretold: EXTERNAL AUTHENTICATE goes out only behind a match. Where it
 * does not match nothing is lost: that answer opens the channel as it does on any other card.
 */
import { toAid } from '../../card/aid.ts';
import { concat, fromHex, toHex, wipe } from '../../card/bytes.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { parseKeyDiversificationData, parseSequenceCounter } from '../../globalplatform/card-data.ts';
import { GpFormatError } from '../../globalplatform/errors.ts';
import { scp02Cryptograms } from '../../globalplatform/scp02.ts';
import { scp03Cryptograms } from '../../globalplatform/scp03.ts';
import { hasPredictableChallenges, SCP03_S16 } from '../../globalplatform/security-level.ts';
import {
  type ChannelSessionKeys,
  predictScp02CardChallenge,
  wipeSessionKeys,
} from '../../globalplatform/session-keys.ts';
import type { CardFacts } from '../../protocol/wire.ts';
import { type CardState, domainOf } from './card-state.ts';
import { certainSet, type DomainKeySet, withData } from './domain-keys.ts';
import type { IssuerPorts } from './ports.ts';

/** What the next INITIALIZE UPDATE answer follows from. */
export interface Foreknowledge {
  readonly set: DomainKeySet;
  /** 10 bytes of key diversification data, hexadecimal. */
  readonly data: string;
  /** As the answer will carry it: 2 bytes (SCP02) or 3. */
  readonly sequenceCounter: Uint8Array;
}

/** A channel's opening before it took place. Whoever asked for it wipes the keys. */
export interface Foretold {
  readonly hostChallenge: Uint8Array;
  /** The data of the answer, without status word. */
  readonly response: Uint8Array;
  /**
   * Which of it the station compares: everything but half of the cryptogram. The station is given what it compares, so that half is
   * what shows to the server that it was the card that answered.
   */
  readonly shown: Uint8Array;
  readonly keys: ChannelSessionKeys;
}

/** What can be foretold of a card, from its type, its record and what the look read; undefined where a part is missing. */
export function foreknowledge(
  profile: CardTypeProfile,
  card: CardState,
  facts: Pick<CardFacts, 'sequenceCounter' | 'diversificationData'>,
): Foreknowledge | undefined {
  const domain = profile.securityDomain;
  if (domain === undefined || !hasPredictableChallenges(domain.scp, domain.i)) return undefined;
  const set = certainSet(domainOf(card, profile));
  const counter = readable(facts.sequenceCounter, parseSequenceCounter);
  const shown = readable(facts.diversificationData, parseKeyDiversificationData);
  const data = set?.data ?? (shown?.length === 10 ? toHex(shown) : undefined);
  const sequenceCounter = counter === undefined ? undefined : nextCounter(domain.scp, counter);
  if (set === undefined || data === undefined || sequenceCounter === undefined) return undefined;
  return { set: withData(set, data), data, sequenceCounter };
}

/** SCP02 counts up when a channel was opened, SCP03 with every challenge, before it is used (Amendment D §6.2.2.1). */
function nextCounter(scp: '02' | '03', counter: Uint8Array): Uint8Array | undefined {
  if (counter.length !== (scp === '02' ? 2 : 3)) return undefined;
  if (scp === '02') return counter;
  const next = counter.reduce((value, byte) => value * 256 + byte, 0) + 1;
  return next > 0xffffff ? undefined : Uint8Array.of(next >> 16, (next >> 8) & 0xff, next & 0xff);
}

function readable<T>(hex: string | undefined, read: (data: Uint8Array) => T): T | undefined {
  if (hex === undefined) return undefined;
  try {
    return read(fromHex(hex));
  } catch (error) {
    if (error instanceof GpFormatError) return undefined;
    throw error;
  }
}

/** @throws VaultError */
export async function foretell(known: Foreknowledge, ports: IssuerPorts): Promise<Foretold | undefined> {
  const domain = ports.profile.securityDomain;
  if (domain === undefined) return undefined;
  const { set, sequenceCounter } = known;
  const head = concat(fromHex(known.data), Uint8Array.of(set.keyVersion, Number(domain.scp)));
  const invoker = toAid(fromHex(domain.aid));
  if (domain.scp === '02') {
    const hostChallenge = ports.random(8);
    const keys = await ports.domainKeys.session(set).sessionKeys({ scp: '02', sequenceCounter });
    const challenge = predictScp02CardChallenge(keys.mac, invoker);
    const { card } = scp02Cryptograms(keys.enc, hostChallenge, sequenceCounter, challenge);
    const response = concat(head, sequenceCounter, challenge, card);
    return { hostChallenge, response, shown: mask(response, response.length, card), keys };
  }
  const hostChallenge = ports.random((domain.i & SCP03_S16) !== 0 ? 16 : 8);
  const { cardChallenge, ...keys } = await ports.domainKeys.foretell(set, {
    hostChallenge,
    sequenceCounter,
    invoker: fromHex(domain.aid),
  });
  const { card } = scp03Cryptograms(keys.mac, hostChallenge, cardChallenge);
  const response = concat(head, Uint8Array.of(domain.i), cardChallenge, card, sequenceCounter);
  const end = response.length - sequenceCounter.length;
  return { hostChallenge, response, shown: mask(response, end, card), keys };
}

/** All bits but those of the second half of the cryptogram, which ends at `end`. */
function mask(response: Uint8Array, end: number, cryptogram: Uint8Array): Uint8Array {
  return new Uint8Array(response.length).fill(0xff).fill(0x00, end - cryptogram.length / 2, end);
}

/** Overwrites what was derived. */
export function wipeForetold(foretold: Foretold): void {
  wipeSessionKeys(foretold.keys);
  wipe(foretold.hostChallenge);
}
