/**
 * A security domain's new keys, enciphered for PUT KEY (GPC 2.3.1 §11.8, Amendment D §7.2): wrapped inside the token where it can,
 * else through one buffer that is wiped.
 */
import pkcs11, { type Handle, type Template } from 'pkcs11js';
import { wipe } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import {
  type CardStatement,
  type DomainKeyRef,
  type DomainKeyRefs,
  describeKey,
  KEY_ALGORITHMS,
  type KeyAlgorithm,
} from '../../keys.ts';
import type { DomainKeyWrap, WrappedKey } from '../../operations/channel.ts';
import type { NewKeyPath } from '../../operations/token.ts';
import { isTokenError } from '../token/cryptoki-error.ts';
import type { OpenToken } from '../token/open-token.ts';
import { boolValue, ulongValue } from '../token/raw-cryptoki.ts';
import { AES_BLOCK, asBuffer, DES_BLOCK, keyLength, type TokenSession } from '../token/session.ts';
import { type DomainKey, withDomainKey } from './diversification.ts';
import { requireOneCard } from './one-card.ts';
import { scp02DerivationData } from './secure-channel.ts';
import type { Workbench } from './workbench.ts';

const CHECK_LENGTH = 3;
/** Derivation constant of the session DEK (GPC 2.3.1 table E-1). */
const SESSION_DEK = 0x0181;

/** How keys of an algorithm go to a card on this token. */
type WrappingPaths = Readonly<Record<KeyAlgorithm, NewKeyPath>>;

/** Enciphers new keys under one DEK. */
interface Wrapper {
  /** Wraps a session object. Undefined where the DEK is no object of the token. */
  readonly wrap: ((key: Handle, algorithm: KeyAlgorithm) => Uint8Array) | undefined;
  /** Enciphers a clear key, filled up to whole blocks. */
  readonly encrypt: (clear: Uint8Array) => Uint8Array;
}

/** ENC, MAC and DEK, in this order. @throws VaultError `key-missing`, `refused`; Pkcs11Error */
export function wrapDomainKeys(bench: Workbench, request: DomainKeyWrap, paths: WrappingPaths): WrappedKey[] {
  const { card, under, keys } = request;
  for (const { master } of inOrder(keys)) requireOneCard(bench, card, under.dek, { master });
  const each = (wrapper: Wrapper) =>
    inOrder(keys).map((ref) => wrapOne({ bench, card, scp: under.scp, wrapper, paths }, ref));
  return withDomainKey(bench, card, under.dek, under.scp === '02' ? 'encrypt' : 'wrap', (dek) =>
    under.scp === '02'
      ? withSessionDek(bench.session, dek, under.sequenceCounter, each)
      : each(staticDek(bench.session, dek, under.dek)),
  );
}

function inOrder(keys: DomainKeyRefs): DomainKeyRef[] {
  return [keys.enc, keys.mac, keys.dek];
}

/** SCP03: the static DEK, CBC with a zero initial value. */
function staticDek(session: TokenSession, dek: DomainKey, ref: DomainKeyRef): Wrapper {
  if (dek.algorithm === 'des3-16')
    throw new VaultError('refused', `${describeKey(ref.master)} is not of SCP03`);
  const { handle } = dek;
  return {
    wrap:
      handle === undefined
        ? undefined
        : (key, algorithm) =>
            session.wrap(handle, key, filled(keyLength(algorithm)), Buffer.alloc(AES_BLOCK)),
    encrypt: (clear) => dek.cbc(clear),
  };
}

/** SCP02: the session DEK as an object of the token, ECB. */
function withSessionDek<T>(
  session: TokenSession,
  dek: DomainKey,
  sequenceCounter: Uint8Array,
  work: (wrapper: Wrapper) => T,
): T {
  if (dek.algorithm !== 'des3-16') throw new VaultError('refused', `an ${dek.algorithm} key is not of SCP02`);
  const value = asBuffer(dek.cbc(scp02DerivationData(SESSION_DEK, sequenceCounter)));
  try {
    const handle = session.raw.createObject(session.handle, [
      { type: pkcs11.CKA_CLASS, value: ulongValue(pkcs11.CKO_SECRET_KEY) },
      { type: pkcs11.CKA_KEY_TYPE, value: ulongValue(pkcs11.CKK_DES2) },
      { type: pkcs11.CKA_TOKEN, value: boolValue(false) },
      { type: pkcs11.CKA_PRIVATE, value: boolValue(true) },
      { type: pkcs11.CKA_SENSITIVE, value: boolValue(true) },
      { type: pkcs11.CKA_EXTRACTABLE, value: boolValue(false) },
      { type: pkcs11.CKA_ENCRYPT, value: boolValue(true) },
      { type: pkcs11.CKA_WRAP, value: boolValue(true) },
      { type: pkcs11.CKA_VALUE, value },
    ]);
    try {
      return work({
        wrap: (key, algorithm) => session.wrap(handle, key, keyLength(algorithm)),
        encrypt: (clear) => session.des3Ecb(handle, asBuffer(clear)),
      });
    } finally {
      session.p11.C_DestroyObject(session.handle, handle);
    }
  } finally {
    wipe(value);
  }
}

/** What is the same for all three keys of a set. */
interface Wrapping {
  readonly bench: Workbench;
  readonly card: CardStatement;
  readonly scp: '02' | '03';
  readonly wrapper: Wrapper;
  readonly paths: WrappingPaths;
}

function wrapOne({ bench, card, scp, wrapper, paths }: Wrapping, ref: DomainKeyRef): WrappedKey {
  if (ref.diversification.kind === 'none')
    throw new VaultError('refused', `${describeKey(ref.master)} would leave the token as it is`);
  const { algorithm } = bench.keys.master(bench.session, ref.master);
  const kind = algorithm === 'des3-16' ? 'des' : 'aes';
  if ((scp === '02') !== (kind === 'des'))
    throw new VaultError('refused', `${describeKey(ref.master)} is ${algorithm}, not of SCP${scp}`);
  const { wrap } = wrapper;
  const length = keyLength(algorithm);
  const inside = wrap !== undefined && paths[algorithm] === 'inside-token';
  const cipher = inside
    ? withDomainKey(bench, card, ref, 'wrapped', (key) => wrap(handleOf(key), algorithm))
    : withDomainKey(bench, card, ref, 'readable', (key) => throughBuffer(bench.session, key, wrapper));
  const checkValue = withDomainKey(bench, card, ref, 'encrypt', checkValueOf);
  return { kind, length, cipher: Uint8Array.from(cipher), checkValue };
}

/** The key's bytes are in `clear` for the length of this call, and nowhere else. */
function throughBuffer(session: TokenSession, key: DomainKey, wrapper: Wrapper): Uint8Array {
  const length = keyLength(key.algorithm);
  const clear = Buffer.alloc(key.algorithm === 'des3-16' ? length : filled(length));
  try {
    session.raw.readValue(session.handle, handleOf(key), clear.subarray(0, length));
    return wrapper.encrypt(clear);
  } finally {
    wipe(clear);
  }
}

/** GPC 2.3.1 §B.6: DES of 8 bytes 00, AES of 16 bytes 01. */
function checkValueOf(key: DomainKey): Uint8Array {
  const block =
    key.algorithm === 'des3-16' ? new Uint8Array(DES_BLOCK) : new Uint8Array(AES_BLOCK).fill(0x01);
  return Uint8Array.from(key.cbc(block).subarray(0, CHECK_LENGTH));
}

function handleOf(key: DomainKey): Handle {
  if (key.handle === undefined) throw new VaultError('refused', 'a master itself is never written to a card');
  return key.handle;
}

/** AES keys are filled up to whole blocks. */
function filled(length: number): number {
  return Math.ceil(length / AES_BLOCK) * AES_BLOCK;
}

/** Whether the token really wraps: mechanism lists promise more than they keep. Tried once a token, with keys made for it. */
export function wrappingPaths(token: OpenToken): WrappingPaths {
  const known = KNOWN.get(token);
  if (known !== undefined) return known;
  const paths: Record<KeyAlgorithm, NewKeyPath> = {
    'des3-16': 'wiped-buffer',
    'aes-128': 'wiped-buffer',
    'aes-192': 'wiped-buffer',
    'aes-256': 'wiped-buffer',
  };
  for (const algorithm of KEY_ALGORITHMS) {
    try {
      token.sessions.use((session) => tryWrap(session, algorithm));
      paths[algorithm] = 'inside-token';
    } catch (error) {
      if (!isTokenError(error)) throw error;
    }
  }
  KNOWN.set(token, paths);
  return paths;
}

const KNOWN = new WeakMap<OpenToken, WrappingPaths>();

function tryWrap(session: TokenSession, algorithm: KeyAlgorithm): void {
  const wrapping = throwaway(session, algorithm, { type: pkcs11.CKA_WRAP, value: true });
  const key = throwaway(session, algorithm, { type: pkcs11.CKA_EXTRACTABLE, value: true });
  try {
    if (algorithm === 'des3-16') session.wrap(wrapping, key, keyLength(algorithm));
    else session.wrap(wrapping, key, filled(keyLength(algorithm)), Buffer.alloc(AES_BLOCK));
  } finally {
    for (const object of [wrapping, key]) session.p11.C_DestroyObject(session.handle, object);
  }
}

function throwaway(session: TokenSession, algorithm: KeyAlgorithm, use: Template[number]): Handle {
  const des = algorithm === 'des3-16';
  const template: Template = [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_KEY_TYPE, value: des ? pkcs11.CKK_DES2 : pkcs11.CKK_AES },
    { type: pkcs11.CKA_TOKEN, value: false },
    { type: pkcs11.CKA_PRIVATE, value: true },
    { type: pkcs11.CKA_SENSITIVE, value: true },
    use,
  ];
  if (!des) template.push({ type: pkcs11.CKA_VALUE_LEN, value: keyLength(algorithm) });
  const mechanism = des ? pkcs11.CKM_DES2_KEY_GEN : pkcs11.CKM_AES_KEY_GEN;
  return session.p11.C_GenerateKey(session.handle, { mechanism }, template);
}
