/** GET DATA (GPC 2.3.1 §11.3): the look without keys. */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, fromHex } from '../../card/bytes.ts';
import { writeTlv } from '../../card/tlv.ts';
import type { CardImage, KeySet, PublicKey } from '../image.ts';
import { freeMemory } from '../memory.ts';
import { isBelow, PRIVILEGE, type SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { channelKeys, defaultKeySet, diversificationData, keyProvider } from './authenticate.ts';
import { isBefore22 } from './before-22.ts';
import { cardCapabilities, cardRecognition, ISSUER_NUMBER, productionLifeCycle } from './card-data.ts';
import { confirmationCounter } from './receipt.ts';

/** Answered as they are, not as the value of an object. */
const LIST_OF_APPLICATIONS = 0x2f00;
const AUTHENTICATED = 0x80;

type Reader = (turn: Turn, domain: SecurityDomain) => Uint8Array | undefined;

/** Values by tag. Objects stored by STORE DATA come first. */
const OBJECTS = new Map<number, Reader>([
  [0x42, (_turn, domain) => (domain.isIssuer ? fromHex(ISSUER_NUMBER) : undefined)],
  [0x45, ({ image }, domain) => (domain.isIssuer ? fromHex(image.identificationCode) : undefined)],
  [0x66, ({ image }, domain) => cardRecognition(image, domain.state.protocol)],
  [0x67, (_turn, domain) => (domain.isIssuer ? cardCapabilities(domain.state) : undefined)],
  [0xc1, sequenceCounter],
  [0xc2, ({ image }, domain) => (domain.isIssuer ? confirmationCounter(image) : undefined)],
  [0xcf, ({ image }) => diversificationData(image)],
  [0xd3, ({ volatile }) => Uint8Array.of(volatile.channel ? AUTHENTICATED | volatile.channel.level : 0)],
  [0xe0, ({ image }, domain) => keyInformation(image, domain)],
  [0x9f7f, ({ image }, domain) => (domain.isIssuer ? productionLifeCycle(image) : undefined)],
  [0xff21, ({ image }) => resources(image)],
]);

/** Capabilities, diversification data, the session's level, the list of applications, and the resources of TS 102 226. */
const SINCE_22: readonly number[] = [0x67, 0xcf, 0xd3, LIST_OF_APPLICATIONS, 0xff21];

/**
 * GET DATA, in or outside a session. The object is given whole in class 00 too, where the specification since 2.2 has
 * its value alone: cards from a shop do so, and tools read it so.
 */
export function getData(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const tag = (command.p1 << 8) | command.p2;
  if (SINCE_22.includes(tag) && isBefore22(turn.image)) throw new Refusal(SW.referenceNotFound);
  if (tag === LIST_OF_APPLICATIONS) return ok(applications(turn, domain));
  if (command.data !== undefined) throw new Refusal(SW.wrongLength);
  const stored = domain.state.data[tag.toString(16).toUpperCase().padStart(2, '0')];
  const isSecret = tag === 0x9f66 || tag === 0x9f67;
  const value = stored === undefined || isSecret ? OBJECTS.get(tag)?.(turn, domain) : fromHex(stored);
  if (value === undefined) throw new Refusal(SW.referenceNotFound);
  const data = writeTlv(tag, value);
  if (turn.volatile.channel === undefined && command.le !== undefined && command.le < data.length)
    return { data: new Uint8Array(0), sw: 0x6c00 | data.length };
  return ok(data);
}

/** GET DATA with the odd instruction, class 00: there is no file but the list of applications. */
export function getDataOdd(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  if (((command.p1 << 8) | command.p2) !== LIST_OF_APPLICATIONS) throw new Refusal(SW.referenceNotFound);
  return getData(turn, domain, command);
}

/** §11.3.3.1.3: applications the domain may see, each in a template 61. */
function applications({ image, volatile }: Turn, domain: SecurityDomain): Uint8Array {
  const all = (domain.privileges & PRIVILEGE.globalRegistry) !== 0;
  const seen = image.instances.filter((entry) => all || isBelow(image, entry, domain.aid));
  const whole = seen.map(({ aid }) => writeTlv(0x61, writeTlv(0x4f, fromHex(aid))));
  // One answer holds 256 bytes, its protection with them, and this card does not chain answers.
  const room = volatile.channel?.responseRoom ?? 256;
  const ends = whole.map((_, i) => whole.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0));
  return concat(...whole.filter((_, i) => (ends[i] ?? 0) <= room));
}

/** Key information template (tables 11-28, 11-29): id, version, type and length of each key. */
function keyInformation(image: CardImage, domain: SecurityDomain): Uint8Array {
  const extended = image.keyInformation === 'extended';
  const entry = (id: number, version: number, ...components: readonly [type: number, length: number][]) =>
    writeTlv(
      0xc0,
      Uint8Array.of(id, version),
      ...components.map(([type, length]) =>
        extended ? Uint8Array.of(0xff, type, length >> 8, length & 0xff) : Uint8Array.of(type, length & 0xff),
      ),
      // No key usage and no key access: their lengths are 00, because nothing was said of them when the key was loaded.
      extended ? Uint8Array.of(0x00, 0x00) : new Uint8Array(0),
    );
  const symmetric = ({ version, keys }: KeySet) =>
    keys.map(({ id, kind, value }) => entry(id, version, [kind === 'aes' ? 0x88 : 0x80, value.length / 2]));
  const asymmetric = (key: PublicKey) =>
    key.kind === 'rsa'
      ? entry(key.id, key.version, [0xa1, key.modulus.length / 2], [0xa0, key.exponent.length / 2])
      : entry(key.id, key.version, [0xb0, key.point.length / 2 - 1], [0xf0, key.curve]);
  return concat(...domain.state.keySets.flatMap(symmetric), ...domain.state.publicKeys.map(asymmetric));
}

/** The counter of the default key set, the one that key version 00 asks for; undefined where the protocol counts nothing. */
function sequenceCounter({ image }: Turn, domain: SecurityDomain): Uint8Array | undefined {
  const provider = keyProvider(image, domain.aid);
  const set = provider === undefined ? undefined : defaultKeySet(provider.state);
  if (set === undefined || channelKeys(set) === undefined) return undefined;
  const { scp, i } = domain.state.protocol;
  if (scp === '03' && (i & 0x10) === 0) return undefined;
  return number(set.sequenceCounter, scp === '02' ? 2 : 3);
}

/** Extended card resources (ETSI TS 102 226 §8.2.1.7.2): applications, free non-volatile and volatile bytes. */
function resources(image: CardImage): Uint8Array {
  return concat(
    writeTlv(0x81, number(image.instances.length, 1)),
    writeTlv(0x82, number(freeMemory(image), 4)),
    writeTlv(0x83, number(image.memory.volatile, 4)),
  );
}

function number(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes.slice(4 - length);
}
