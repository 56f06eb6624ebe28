/** Key data fields of PUT KEY (GPC 2.3.1 tables 11-68 to 11-73, Amendment D tables 7-9, 7-10). */
import { equalBytes, toHex, wipe } from '../../card/bytes.ts';
import { type KeyKind, keyCheckValue } from '../crypto.ts';
import type { CardImage, DomainKey, PublicKey } from '../image.ts';
import { Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { isBefore22 } from './before-22.ts';
import { readBerLength } from './fields.ts';
import { CURVES } from './signature.ts';

/** A public key before it has a version. */
export type NewPublicKey =
  | Omit<Extract<PublicKey, { kind: 'rsa' }>, 'version'>
  | Omit<Extract<PublicKey, { kind: 'ec' }>, 'version'>;
/** A key out of a PUT KEY. */
export type NewKey = DomainKey | NewPublicKey;

/** Whether it is a public key. */
export function isPublic(key: NewKey): key is NewPublicKey {
  return key.kind === 'rsa' || key.kind === 'ec';
}

const SECRET_KINDS = new Map<number, KeyKind>([
  [0x80, 'des3'],
  [0x82, 'des3'],
  [0x88, 'aes'],
]);
const KEY_LENGTHS = { des3: [16], aes: [16, 24, 32] } as const;
const EXTENDED = 0xff;
const TYPE = { rsaExponent: 0xa0, rsaModulus: 0xa1, ecPoint: 0xb0, prime: 0xb2, curve: 0xf0 } as const;

interface Component {
  readonly type: number;
  readonly block: Uint8Array;
}

/** Type, length, key, length of check value, check value; ids count up from `firstId`. @throws Refusal */
export function readKeys(turn: Turn, fields: Uint8Array, firstId: number): NewKey[] {
  const keys: NewKey[] = [];
  const errors = errorsOf(turn.image);
  let at = 0;
  while (at < fields.length) {
    const isExtended = fields[at] === EXTENDED;
    const components: Component[] = [];
    // Every key type is above 7F, and the length of a check value is below it: that tells where the components end.
    do {
      if (isExtended && fields[at] === EXTENDED) at += 1;
      const type = fields[at] ?? 0;
      const block = lengthAndValue(fields, at + 1);
      components.push({ type, block: block.value });
      at = block.next;
    } while ((fields[at] ?? 0) > 0x7f);
    const check = lengthAndValue(fields, at);
    at = check.next;
    const id = firstId + keys.length;
    if (components[0]?.type === TYPE.ecPoint && isBefore22(turn.image)) throw new Refusal(errors.algorithm);
    keys.push(publicKey(id, components, check.value) ?? secretKey(turn, errors, id, components, check.value));
    // Key usage and key access follow in the extended format. They are passed over: this card restricts no key.
    if (isExtended) at = lengthAndValue(fields, lengthAndValue(fields, at).next).next;
  }
  return keys;
}

/** §11.8.3.2: older cards have status words of their own for two of the errors. */
function errorsOf({ version }: Pick<CardImage, 'version'>): { algorithm: number; check: number } {
  return version === '2.3.1'
    ? { algorithm: SW.wrongData, check: SW.securityStatus }
    : { algorithm: SW.algorithmNotSupported, check: SW.wrongCheckValue };
}

/** A BER length, 128 in one byte allowed, and as many bytes. */
function lengthAndValue(bytes: Uint8Array, at: number): { value: Uint8Array; next: number } {
  const length = bytes[at] === 0x80 ? { value: 0x80, next: at + 1 } : readBerLength(bytes, at);
  if (length === undefined || length.next + length.value > bytes.length) throw new Refusal(SW.wrongData);
  const next = length.next + length.value;
  return { value: bytes.slice(length.next, next), next };
}

/** An RSA key of modulus and exponent, or an ECC key with its curve; undefined for anything else. */
function publicKey(
  id: number,
  components: readonly Component[],
  check: Uint8Array,
): NewPublicKey | undefined {
  const [first, second] = components;
  if (first?.type !== TYPE.rsaModulus && first?.type !== TYPE.ecPoint) return undefined;
  if (check.length > 0) throw new Refusal(SW.wrongData);
  if (first.type === TYPE.ecPoint) return ecKey(id, first.block, components.slice(1));
  const isWhole = second?.type === TYPE.rsaExponent && components.length === 2;
  const fits = first.block.length >= 128 && first.block.length <= 256;
  if (!isWhole || !fits || second.block.length === 0) throw new Refusal(SW.wrongData);
  return { kind: 'rsa', id, modulus: toHex(first.block), exponent: toHex(second.block) };
}

/** Tables 11-73, 11-74: the curve by its reference, or by parameters of its own, of which the prime tells which it is. */
function ecKey(id: number, point: Uint8Array, parameters: readonly Component[]): NewPublicKey {
  const reference = parameters.find(({ type }) => type === TYPE.curve)?.block[0];
  const prime = parameters.find(({ type }) => type === TYPE.prime)?.block;
  const named = [...CURVES].find(
    ([known, curve]) => known === reference || (prime !== undefined && curve.prime === toHex(prime)),
  );
  if (named === undefined) throw new Refusal(SW.wrongData);
  const [curve, { bytes }] = named;
  if (point[0] !== 0x04 || point.length !== 1 + 2 * bytes) throw new Refusal(SW.wrongData);
  return { kind: 'ec', id, point: toHex(point), curve };
}

function secretKey(
  turn: Turn,
  errors: { readonly algorithm: number; readonly check: number },
  id: number,
  components: readonly Component[],
  check: Uint8Array,
): DomainKey {
  const [component] = components;
  const known = SECRET_KINDS.get(component?.type ?? 0);
  const kind = known === 'aes' && isBefore22(turn.image) ? undefined : known;
  if (component === undefined || kind === undefined || components.length > 1)
    throw new Refusal(errors.algorithm);
  const clear = decryptKey(turn, kind, component.block);
  const expected = keyCheckValue(kind, clear);
  if (check.length !== 0 && !equalBytes(check, expected)) throw new Refusal(errors.check);
  const key: DomainKey = { id, kind, value: toHex(clear) };
  wipe(clear);
  return key;
}

/**
 * The key of one field, in either form: the ciphertext alone, or the key's length before it (tables 11-70, 11-71, for
 * keys padded to whole blocks).
 */
function decryptKey(turn: Turn, kind: KeyKind, field: Uint8Array): Uint8Array {
  const channel = turn.volatile.channel;
  if (channel === undefined) throw new Refusal(SW.securityStatus);
  const lengths: readonly number[] = KEY_LENGTHS[kind];
  const headed = field.length % 8 === 1;
  const clear = channel.decryptKey(headed ? field.slice(1) : field);
  const length = headed ? (field[0] ?? 0) : clear.length;
  if (!lengths.includes(length) || length > clear.length || clear.length - length >= 16)
    throw new Refusal(SW.wrongData);
  return clear.slice(0, length);
}
