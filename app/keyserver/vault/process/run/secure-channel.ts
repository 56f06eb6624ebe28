/** Session keys of GlobalPlatform secure channels: SCP02 (GPCS 2.3.1 §E.4.1) and SCP03 (Amendment D 1.1.1 §4.1.5, §6.2.1). */
import { concat, wipe } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import type { CardStatement, DomainKeyRef, DomainKeyRefs, KeyAlgorithm } from '../../keys.ts';
import { describeKey } from '../../keys.ts';
import type { ChannelContext, ChannelSessionKeys, Foretelling } from '../../operations/channel.ts';
import { AES_BLOCK, DES_BLOCK, keyLength } from '../token/session.ts';
import { type DomainKey, withDomainKey } from './diversification.ts';
import type { Workbench } from './workbench.ts';

/** Derivation constants of SCP02, table E-1. */
const SCP02 = { mac: 0x0101, rmac: 0x0102, enc: 0x0182 };

/** Derivation constants of SCP03, table 4-1. */
const SCP03 = { challenge: 0x02, enc: 0x04, mac: 0x06, rmac: 0x07 };

/** What the SCP02 session keys are enciphered from: constant ‖ sequence counter ‖ 00…. */
export function scp02DerivationData(constant: number, sequenceCounter: Uint8Array): Buffer {
  const data = Buffer.alloc(2 * DES_BLOCK);
  data.writeUInt16BE(constant, 0);
  data.set(sequenceCounter, 2);
  return data;
}

/** 3DES-CBC(static key, constant ‖ sequence counter ‖ 00…), initial value 0. Raw bytes: parity is not adjusted. */
export function scp02SessionKey(
  key: Pick<DomainKey, 'cbc'>,
  constant: number,
  sequenceCounter: Uint8Array,
): Uint8Array {
  return key.cbc(scp02DerivationData(constant, sequenceCounter));
}

/** NIST SP 800-108 in counter mode with AES-CMAC: as many bytes as the static key has, unless told otherwise. */
export function scp03SessionKey(
  key: Pick<DomainKey, 'algorithm' | 'cmac'>,
  constant: number,
  context: Uint8Array,
  length = keyLength(key.algorithm),
): Uint8Array {
  const label = new Uint8Array(12);
  label[11] = constant;
  const bits = 8 * length;
  const blocks = Array.from({ length: Math.ceil(length / AES_BLOCK) }, (_, i) =>
    key.cmac(concat(label, Uint8Array.of(0, bits >> 8, bits & 0xff, i + 1), context)),
  );
  const whole = concat(...blocks);
  const derived = whole.slice(0, length);
  wipe(whole, ...blocks);
  return derived;
}

/** Session keys of SCP02 from one static key, one for each constant. */
function scp02Keys(
  bench: Workbench,
  card: CardStatement,
  counter: Uint8Array,
  ref: DomainKeyRef,
  ...constants: number[]
): Uint8Array[] {
  return withDomainKey(bench, card, ref, 'encrypt', (key) => {
    if (key.algorithm !== 'des3-16') throw otherAlgorithm(ref, key.algorithm, 'SCP02');
    return constants.map((constant) => scp02SessionKey(key, constant, counter));
  });
}

function scp02(
  bench: Workbench,
  card: CardStatement,
  keys: DomainKeyRefs,
  counter: Uint8Array,
): ChannelSessionKeys {
  const derive = (ref: DomainKeyRef, ...constants: number[]) =>
    scp02Keys(bench, card, counter, ref, ...constants);
  const [mac, rmac] = derive(keys.mac, SCP02.mac, SCP02.rmac);
  const [enc] = derive(keys.enc, SCP02.enc);
  return complete({ enc, mac, rmac });
}

function withScp03Key<T>(
  bench: Workbench,
  card: CardStatement,
  ref: DomainKeyRef,
  work: (key: DomainKey) => T,
): T {
  return withDomainKey(bench, card, ref, 'sign', (key) => {
    if (key.algorithm === 'des3-16') throw otherAlgorithm(ref, key.algorithm, 'SCP03');
    return work(key);
  });
}

function scp03(
  bench: Workbench,
  card: CardStatement,
  keys: DomainKeyRefs,
  context: Uint8Array,
): ChannelSessionKeys {
  const derive = (ref: DomainKeyRef, ...constants: number[]): Uint8Array[] =>
    withScp03Key(bench, card, ref, (key) =>
      constants.map((constant) => scp03SessionKey(key, constant, context)),
    );
  const [mac, rmac] = derive(keys.mac, SCP03.mac, SCP03.rmac);
  const [enc] = derive(keys.enc, SCP03.enc);
  return complete({ enc, mac, rmac });
}

function otherAlgorithm(ref: DomainKeyRef, algorithm: KeyAlgorithm, protocol: string): VaultError {
  return new VaultError('refused', `${describeKey(ref.master)} is ${algorithm}, not of ${protocol}`);
}

function complete(keys: {
  enc: Uint8Array | undefined;
  mac: Uint8Array | undefined;
  rmac: Uint8Array | undefined;
}): ChannelSessionKeys {
  const { enc, mac, rmac } = keys;
  if (enc === undefined || mac === undefined || rmac === undefined)
    throw new VaultError('hsm-away', 'the token gave no session key');
  return { enc, mac, rmac };
}

/**
 * The session keys that both sides of a secure channel derive, but for SCP02's DEK: what it enciphers is enciphered here, so it stays. The
 * three keys are of one security domain.
 */
export function channelSessionKeys(
  bench: Workbench,
  card: CardStatement,
  keys: DomainKeyRefs,
  context: ChannelContext,
): ChannelSessionKeys {
  switch (context.scp) {
    case '02':
      return scp02(bench, card, keys, context.sequenceCounter);
    case '03':
      return scp03(bench, card, keys, concat(context.hostChallenge, context.cardChallenge));
  }
}

/** The session key that the card's cryptogram is made with (GPC 2.3.1 §E.4.2, Amendment D §6.2.2.2), derived alone: a third of the calls. */
export function cryptogramKey(
  bench: Workbench,
  card: CardStatement,
  keys: DomainKeyRefs,
  context: ChannelContext,
): Uint8Array {
  const [key] =
    context.scp === '02'
      ? scp02Keys(bench, card, context.sequenceCounter, keys.enc, SCP02.enc)
      : withScp03Key(bench, card, keys.mac, (mac) => [
          scp03SessionKey(mac, SCP03.mac, concat(context.hostChallenge, context.cardChallenge)),
        ]);
  if (key === undefined) throw new VaultError('hsm-away', 'the token gave no session key');
  return key;
}

/**
 * The session keys of a channel that has not been opened yet, and the challenge that the card will give in it: pseudo-random ones are
 * derived from the static ENC key, the sequence counter and the domain's AID (Amendment D §6.2.2.1).
 */
export function foretellChannel(
  bench: Workbench,
  { card, keys, hostChallenge, sequenceCounter, invoker }: Foretelling,
): ChannelSessionKeys & { readonly cardChallenge: Uint8Array } {
  const cardChallenge = withScp03Key(bench, card, keys.enc, (key) =>
    scp03SessionKey(key, SCP03.challenge, concat(sequenceCounter, invoker), hostChallenge.length),
  );
  return { ...scp03(bench, card, keys, concat(hostChallenge, cardChallenge)), cardChallenge };
}
