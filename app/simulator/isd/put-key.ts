/** PUT KEY (GPC 2.3.1 §11.8, Amendment D §7.2). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, equalBytes, fromHex, toHex, wipe } from '../../card/bytes.ts';
import { type KeyKind, keyCheckValue } from '../crypto.ts';
import type { DomainKey } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';

const KINDS = new Map<number, KeyKind>([
  [0x80, 'des3'],
  [0x82, 'des3'],
  [0x88, 'aes'],
]);
const KEY_LENGTHS = { des3: [16], aes: [16, 24, 32] } as const;
const FACTORY_VERSION = 0xff;

/**
 * PUT KEY: P1 the version replaced, 00 to add; P2 the first key id, 80 more keys follow. All or none are written; the
 * answer is the new version and the check values.
 */
export function putKey(turn: Turn, command: CommandApdu): ResponseApdu {
  const several = (command.p2 & 0x80) !== 0;
  const firstId = command.p2 & 0x7f;
  if (firstId === 0 || command.p1 > 0x7f) throw new Refusal(SW.wrongP1P2);
  const data = command.data;
  if (data === undefined) throw new Refusal(SW.wrongLength);
  const version = data[0] ?? 0;
  if (version < 1 || version > 0x7f) throw new Refusal(SW.wrongData);
  const keys = readKeys(turn, data.slice(1), firstId);
  if (keys.length === 0 || (!several && keys.length > 1)) throw new Refusal(SW.wrongData);
  if (command.p1 === 0) addKeys(turn, version, keys);
  else replaceKeys(turn, command.p1, version, keys);
  return ok(
    concat(Uint8Array.of(version), ...keys.map(({ kind, value }) => keyCheckValue(kind, fromHex(value)))),
  );
}

function addKeys(turn: Turn, version: number, keys: readonly DomainKey[]): void {
  const { domain } = turn.image;
  const set = domain.keySets.find((known) => known.version === version);
  if (set?.keys.some(({ id }) => keys.some((key) => key.id === id))) throw new Refusal(SW.wrongData);
  if (set !== undefined) set.keys.push(...keys);
  else domain.keySets.push({ version, sequenceCounter: 0, keys: [...keys] });
  // The initial keys of version FF go as soon as the issuer's stand.
  domain.keySets = domain.keySets.filter((known) => known.version !== FACTORY_VERSION);
}

/** Size and algorithm stay; the whole set takes the new version and its counter starts again. */
function replaceKeys(turn: Turn, replaced: number, version: number, keys: readonly DomainKey[]): void {
  const { keySets } = turn.image.domain;
  const set = keySets.find((known) => known.version === replaced);
  if (set === undefined) throw new Refusal(SW.referenceNotFound);
  for (const key of keys) {
    const old = set.keys.find(({ id }) => id === key.id);
    if (old === undefined) throw new Refusal(SW.referenceNotFound);
    if (old.kind !== key.kind || old.value.length !== key.value.length) throw new Refusal(SW.wrongData);
  }
  if (version !== replaced) {
    const whole = set.keys.length === keys.length;
    if (!whole || keySets.some((known) => known.version === version)) throw new Refusal(SW.wrongData);
  }
  set.version = version;
  set.sequenceCounter = 0;
  set.keys = set.keys.map((old) => keys.find(({ id }) => id === old.id) ?? old);
}

/** Type, length, key, length of check value, check value; ids count up from `firstId`. */
function readKeys(turn: Turn, fields: Uint8Array, firstId: number): DomainKey[] {
  const keys: DomainKey[] = [];
  let at = 0;
  while (at < fields.length) {
    const type = fields[at] ?? 0;
    const length = fields[at + 1] ?? 0;
    const field = fields.slice(at + 2, at + 2 + length);
    const checkLength = fields[at + 2 + length];
    const check = fields.slice(at + 3 + length, at + 3 + length + (checkLength ?? 0));
    if (checkLength === undefined || check.length !== checkLength) throw new Refusal(SW.wrongData);
    const kind = KINDS.get(type);
    if (kind === undefined) throw new Refusal(SW.algorithmNotSupported);
    const clear = decryptKey(turn, kind, field);
    const expected = keyCheckValue(kind, clear);
    if (checkLength !== 0 && !equalBytes(check, expected)) throw new Refusal(SW.wrongCheckValue);
    keys.push({ id: firstId + keys.length, kind, value: toHex(clear) });
    wipe(clear);
    at += 3 + length + checkLength;
  }
  return keys;
}

/**
 * The key of one field, in either form: the ciphertext alone, or the key's length before it (Amendment D §7.2.2, for
 * AES keys padded to whole blocks).
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
