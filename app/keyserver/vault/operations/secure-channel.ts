/** Session keys of GlobalPlatform secure channels: SCP02 (GPCS 2.3.1 §E.4.1) and SCP03 (Amendment D 1.1.1 §4.1.5, §6.2.1). */
import type { Handle } from 'pkcs11js';
import { concat } from '../../../card/bytes.ts';
import { keyRole } from '../labels.ts';
import { type ChannelContext, type ChannelKeyRefs, type ChannelSessionKeys, VaultError } from '../port.ts';
import { AES_BLOCK, asBuffer, DES_BLOCK, type TokenSession } from '../token/session.ts';
import { requireRole, type Workbench, withCardKey } from './card-key.ts';

const KEY_BITS = 128;

/** Derivation constants of SCP02, table E-1. */
const SCP02 = { mac: 0x0101, rmac: 0x0102, dek: 0x0181, enc: 0x0182 };

/** Derivation constants of SCP03, table 4-1. */
const SCP03 = { enc: 0x04, mac: 0x06, rmac: 0x07 };

/** 3DES-CBC(static key, constant ‖ sequence counter ‖ 00…), initial value 0. Raw bytes: parity is not adjusted. */
export function scp02SessionKey(
  session: TokenSession,
  key: Handle,
  constant: number,
  sequenceCounter: Uint8Array,
): Uint8Array {
  const data = Buffer.alloc(2 * DES_BLOCK);
  data.writeUInt16BE(constant, 0);
  data.set(sequenceCounter, 2);
  return session.des3Cbc(key, Buffer.alloc(DES_BLOCK), data);
}

/** NIST SP 800-108 in counter mode with AES-CMAC: one block gives 128 bits. */
export function scp03SessionKey(
  session: TokenSession,
  key: Handle,
  constant: number,
  context: Uint8Array,
): Uint8Array {
  const label = new Uint8Array(12);
  label[11] = constant;
  const input = concat(label, Uint8Array.of(0, KEY_BITS >> 8, KEY_BITS & 0xff, 1), context);
  return session.aesCmac(key, asBuffer(input)).subarray(0, AES_BLOCK);
}

function scp02(bench: Workbench, keys: ChannelKeyRefs, counter: Uint8Array): ChannelSessionKeys {
  const derive = (ref: ChannelKeyRefs['enc'], ...constants: number[]): Uint8Array[] =>
    withCardKey(bench, ref, 'des3-16', 'encrypt', (key) =>
      constants.map((constant) => scp02SessionKey(bench.session, key, constant, counter)),
    );
  const [mac, rmac] = derive(keys.mac, SCP02.mac, SCP02.rmac);
  const [enc] = derive(keys.enc, SCP02.enc);
  const [dek] = derive(keys.dek, SCP02.dek);
  return complete({ enc, mac, rmac, dek });
}

function scp03(bench: Workbench, keys: ChannelKeyRefs, context: Uint8Array): ChannelSessionKeys {
  const derive = (ref: ChannelKeyRefs['enc'], ...constants: number[]): Uint8Array[] =>
    withCardKey(bench, ref, 'aes-128', 'sign', (key) =>
      constants.map((constant) => scp03SessionKey(bench.session, key, constant, context)),
    );
  const [mac, rmac] = derive(keys.mac, SCP03.mac, SCP03.rmac);
  const [enc] = derive(keys.enc, SCP03.enc);
  return complete({ enc, mac, rmac });
}

function complete(keys: {
  enc: Uint8Array | undefined;
  mac: Uint8Array | undefined;
  rmac: Uint8Array | undefined;
  dek?: Uint8Array | undefined;
}): ChannelSessionKeys {
  const { enc, mac, rmac, dek } = keys;
  if (enc === undefined || mac === undefined || rmac === undefined)
    throw new VaultError('hsm-away', 'the token gave no session key');
  return dek === undefined ? { enc, mac, rmac } : { enc, mac, rmac, dek };
}

/** The session keys that both sides of a secure channel derive. The three keys must be of one security domain. */
export function channelSessionKeys(
  bench: Workbench,
  keys: ChannelKeyRefs,
  context: ChannelContext,
): ChannelSessionKeys {
  requireRole(keys.enc, 'enc');
  const { owner } = keyRole(keys.enc.master);
  requireRole(keys.mac, 'mac', owner);
  requireRole(keys.dek, 'dek', owner);
  switch (context.scp) {
    case '02':
      return scp02(bench, keys, context.sequenceCounter);
    case '03':
      return scp03(bench, keys, concat(context.hostChallenge, context.cardChallenge));
  }
}
