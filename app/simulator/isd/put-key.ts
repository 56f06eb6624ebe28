/** PUT KEY (GPC 2.3.1 §11.8, Amendment D §7.2). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex } from '../../card/bytes.ts';
import { keyCheckValue } from '../crypto.ts';
import type { DomainKey, DomainState } from '../image.ts';
import { PERSONALIZED, type SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { channelKeys } from './authenticate.ts';
import { isPublic, type NewKey, type NewPublicKey, readKeys } from './key-fields.ts';

const FACTORY_VERSION = 0xff;
/** As many as key information tells of in one answer. */
const MAX_KEYS = 20;

/**
 * PUT KEY: P1 the version replaced, 00 to add; P2 the first key id, 80 more keys follow. All or none are written; the
 * answer is the new version and the check values.
 */
export function putKey(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const several = (command.p2 & 0x80) !== 0;
  const firstId = command.p2 & 0x7f;
  if (firstId === 0 || command.p1 > 0x7f) throw new Refusal(SW.wrongP1P2);
  const data = command.data;
  if (data === undefined) throw new Refusal(SW.wrongLength);
  const version = data[0] ?? 0;
  if (version < 1 || version > 0x7f) throw new Refusal(SW.wrongData);
  const keys = readKeys(turn, data.slice(1), firstId);
  if (keys.length === 0 || (!several && keys.length > 1)) throw new Refusal(SW.wrongData);
  const [first] = keys;
  if (first !== undefined && isPublic(first)) putPublicKey(domain.state, command.p1, version, keys);
  else putSecretKeys(domain, command.p1, version, keys.filter(isSecret), keys.length);
  const { keySets, publicKeys } = domain.state;
  const count = keySets.reduce((sum, set) => sum + set.keys.length, publicKeys.length);
  if (count > MAX_KEYS) throw new Refusal(SW.memoryFull);
  return ok(concat(Uint8Array.of(version), ...keys.map(checkValue)));
}

/** What the answer tells of a key; nothing of a public one. */
function checkValue(key: NewKey): Uint8Array {
  return isPublic(key) ? new Uint8Array(0) : keyCheckValue(key.kind, fromHex(key.value));
}

function isSecret(key: NewKey): key is DomainKey {
  return !isPublic(key);
}

/** One public key: added, or in place of the one of version `replaced`, of the same kind and size. */
function putPublicKey(state: DomainState, replaced: number, version: number, keys: readonly NewKey[]): void {
  const [key] = keys;
  if (key === undefined || !isPublic(key) || keys.length > 1) throw new Refusal(SW.wrongData);
  const isThere = (wanted: number) =>
    state.publicKeys.find((known) => known.version === wanted && known.id === key.id);
  const old = isThere(replaced);
  if (replaced !== 0 && old === undefined) throw new Refusal(SW.referenceNotFound);
  if (old !== undefined && sizeOf(old) !== sizeOf(key)) throw new Refusal(SW.wrongData);
  const inTheWay = isThere(version);
  if (inTheWay !== undefined && inTheWay !== old) throw new Refusal(SW.wrongData);
  state.publicKeys = [...state.publicKeys.filter((known) => known !== old), { ...key, version }];
}

function sizeOf(key: NewPublicKey): string {
  return key.kind === 'rsa' ? `rsa ${key.modulus.length}` : `ec ${key.curve}`;
}

function putSecretKeys(
  domain: SecurityDomain,
  replaced: number,
  version: number,
  keys: readonly DomainKey[],
  count: number,
): void {
  // Kinds are not mixed in one command.
  if (keys.length !== count) throw new Refusal(SW.wrongData);
  if (replaced === 0) addKeys(domain.state, version, keys);
  else replaceKeys(domain.state, replaced, version, keys);
  // A domain with keys of its own is ready to be used (§5.3.2.3).
  const { entry, state } = domain;
  const isReady = state.keySets.some((set) => channelKeys(set) !== undefined);
  if (entry !== undefined && isReady && entry.lifecycle < PERSONALIZED) entry.lifecycle = PERSONALIZED;
}

function addKeys(state: DomainState, version: number, keys: readonly DomainKey[]): void {
  const set = state.keySets.find((known) => known.version === version);
  if (set?.keys.some(({ id }) => keys.some((key) => key.id === id))) throw new Refusal(SW.wrongData);
  if (set !== undefined) {
    set.keys.push(...keys);
    set.sequenceCounter = 0;
  } else state.keySets.push({ version, sequenceCounter: 0, keys: [...keys] });
  // The initial keys of version FF go as soon as the issuer's stand.
  if (state.keySets.some((known) => known.version !== FACTORY_VERSION && channelKeys(known) !== undefined))
    state.keySets = state.keySets.filter((known) => known.version !== FACTORY_VERSION);
}

/** Size and algorithm stay; the whole set takes the new version and its counter starts again. */
function replaceKeys(
  { keySets }: DomainState,
  replaced: number,
  version: number,
  keys: readonly DomainKey[],
): void {
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
