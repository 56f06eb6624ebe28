/** Load file data block signatures, checked by the domains that have the privilege (GPC 2.3.1 §9.2.1, §C.3). */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { equalBytes, fromHex } from '../../card/bytes.ts';
import { aesCmac, desMac } from '../crypto.ts';
import type { CardImage, DomainKey, PublicKey } from '../image.ts';
import { domainOf, isPersonalized, PERSONALIZED, PRIVILEGE, privilegesOf } from '../registry.ts';
import { Refusal, SW } from '../status-words.ts';
import type { Loading } from '../turn.ts';
import { readAid, readObjects } from './fields.ts';

/** Version under which a secret key is there for signatures of load files; public keys have no other use here. */
const DAP_KEY_VERSION = 0x73;
/** RSA keys up to this many bytes sign in the older form (§B.3.1.1), longer ones in PSS (§B.3.2.1). */
const OLDER_RSA_BYTES = 128;
/** By key parameter reference (table B-2). */
const CURVES = new Map([
  [0x00, { name: 'P-256', bytes: 32, hash: 'sha256' }],
  [0x01, { name: 'P-384', bytes: 48, hash: 'sha384' }],
  [0x02, { name: 'P-521', bytes: 66, hash: 'sha512' }],
]);

/**
 * Every signature in the load file is right, and nobody's is missing who must have signed: the domain the file is for,
 * if it verifies, and any domain that verifies whatever is loaded.
 * @throws Refusal 6985 when one is missing, 6A80 when one is wrong or there is no hash to check it over
 */
export function requireDaps(image: CardImage, loading: Loading, daps: readonly Uint8Array[]): void {
  const signed = daps.map((dap) => verified(image, loading.hash, dap));
  const must = image.instances.filter((entry) => {
    const privileges = privilegesOf(entry);
    if ((privileges & PRIVILEGE.mandatedDap) !== 0) return entry.lifecycle === PERSONALIZED;
    return entry.aid === loading.domain && (privileges & PRIVILEGE.dapVerification) !== 0;
  });
  if (must.some(({ aid }) => !signed.includes(aid))) throw new Refusal(SW.conditions);
}

/** AID of the domain whose signature this is. */
function verified(image: CardImage, hash: Uint8Array, dap: Uint8Array): string {
  const objects = readObjects(dap);
  const aid = readAid(objects.find(({ tag }) => tag === 0x4f)?.value);
  const signature = objects.find(({ tag }) => tag === 0xc3)?.value;
  const domain = domainOf(image, aid);
  const verifies = domain !== undefined && (domain.privileges & PRIVILEGE.dapVerification) !== 0;
  if (!verifies || !isPersonalized(domain)) throw new Refusal(SW.conditions);
  if (signature === undefined || hash.length === 0) throw new Refusal(SW.wrongData);
  const { publicKeys, keySets } = domain.state;
  const secret = keySets.find(({ version }) => version === DAP_KEY_VERSION)?.keys ?? [];
  const isSigned =
    publicKeys.some((key) => isRight(key, hash, signature)) ||
    secret.some((key) => equalBytes(macOf(key, hash), signature));
  if (!isSigned) throw new Refusal(SW.wrongData);
  return aid;
}

function macOf({ kind, value }: DomainKey, hash: Uint8Array): Uint8Array {
  return kind === 'aes' ? aesCmac(fromHex(value), hash) : desMac(fromHex(value), hash);
}

function isRight(key: PublicKey, hash: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.kind === 'ec') {
      const curve = CURVES.get(key.curve);
      if (curve === undefined) return false;
      const options = { key: ecKey(key.point, curve), dsaEncoding: 'ieee-p1363' } as const;
      return verify(curve.hash, hash, options, signature);
    }
    const isOlder = key.modulus.length / 2 <= OLDER_RSA_BYTES;
    const padding = isOlder
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    return verify(isOlder ? 'sha1' : 'sha256', hash, { key: rsaKey(key), ...padding }, signature);
  } catch {
    // A key that is none verifies nothing.
    return false;
  }
}

const base64url = (hex: string) => Buffer.from(fromHex(hex)).toString('base64url');

function rsaKey({ modulus, exponent }: { modulus: string; exponent: string }): KeyObject {
  return createPublicKey({
    key: { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) },
    format: 'jwk',
  });
}

/** A point 04, x, y. */
function ecKey(point: string, { name, bytes }: { name: string; bytes: number }): KeyObject {
  const [x, y] = [point.slice(2, 2 + 2 * bytes), point.slice(2 + 2 * bytes)];
  return createPublicKey({
    key: { kty: 'EC', crv: name, x: base64url(x), y: base64url(y) },
    format: 'jwk',
  });
}
