/** Signatures by other parties: of load files (DAP) and of what delegated management may do (GPC 2.3.1 §C.3, §C.4). */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { equalBytes, fromHex } from '../../card/bytes.ts';
import { aesCmac, desMac } from '../crypto.ts';
import type { DomainKey, DomainState, PublicKey } from '../image.ts';

/** Versions under which a secret key is there for signatures; public keys have no other use on this card. */
export const SIGNATURE_KEY = { token: 0x70, receipt: 0x71, dap: 0x73 } as const;
/** RSA keys up to this many bytes sign in the older form (§B.3.1.1), longer ones in PSS (§B.3.2.1). */
const OLDER_RSA_BYTES = 128;

/** A curve of ECC keys. */
interface Curve {
  readonly name: string;
  /** Bytes of a coordinate. */
  readonly bytes: number;
  readonly hash: string;
  /** The field's prime. */
  readonly prime: string;
}

/** Curves by key parameter reference (table B-2, FIPS 186-4). */
export const CURVES: ReadonlyMap<number, Curve> = new Map([
  [
    0x00,
    {
      name: 'P-256',
      bytes: 32,
      hash: 'sha256',
      prime: 'FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF',
    },
  ],
  [
    0x01,
    {
      name: 'P-384',
      bytes: 48,
      hash: 'sha384',
      prime: `${'F'.repeat(63)}EFFFFFFFF0000000000000000FFFFFFFF`,
    },
  ],
  [0x02, { name: 'P-521', bytes: 66, hash: 'sha512', prime: `01${'F'.repeat(130)}` }],
]);

/** Whether one of the domain's keys made `signature` over `message`. */
export function isSigned(
  { publicKeys, keySets }: Pick<DomainState, 'publicKeys' | 'keySets'>,
  secretVersion: number,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const secret = keySets.find(({ version }) => version === secretVersion)?.keys ?? [];
  return (
    publicKeys.some((key) => isRight(key, message, signature)) ||
    secret.some((key) => equalBytes(macOf(key, message), signature))
  );
}

/** What a secret key signs with: a retail MAC of 8 bytes, or AES-CMAC of 16. */
export function macOf({ kind, value }: DomainKey, message: Uint8Array): Uint8Array {
  return kind === 'aes' ? aesCmac(fromHex(value), message) : desMac(fromHex(value), message);
}

function isRight(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    if (key.kind === 'ec') {
      const curve = CURVES.get(key.curve);
      if (curve === undefined) return false;
      const options = { key: ecKey(key.point, curve), dsaEncoding: 'ieee-p1363' } as const;
      return verify(curve.hash, message, options, signature);
    }
    const isOlder = key.modulus.length / 2 <= OLDER_RSA_BYTES;
    const padding = isOlder
      ? { padding: constants.RSA_PKCS1_PADDING }
      : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    return verify(isOlder ? 'sha1' : 'sha256', message, { key: rsaKey(key), ...padding }, signature);
  } catch {
    // OpenSSL cannot read the key (a point that is not on its curve, say): then no signature is right under it.
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
function ecKey(point: string, { name, bytes }: Curve): KeyObject {
  const [x, y] = [point.slice(2, 2 + 2 * bytes), point.slice(2 + 2 * bytes)];
  return createPublicKey({
    key: { kty: 'EC', crv: name, x: base64url(x), y: base64url(y) },
    format: 'jwk',
  });
}
