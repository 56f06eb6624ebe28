/** Who is at the other end of a line, by the certificate that was shown when it was opened. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export interface Peer {
  /** SHA-256 of the client certificate, upper-case hexadecimal. */
  readonly fingerprint: string;
  /** While all certificates up to the authority are valid, ms since 1970. TLS looks at it once, when the line is opened. */
  readonly validFrom: number;
  readonly validTo: number;
}

const MOST_IN_A_CHAIN = 10;
const known = new WeakMap<TLSSocket, Peer>();

/** undefined for what is no TLS line, and for one without a client certificate. */
export function peerOf(socket: unknown): Peer | undefined {
  if (!isTls(socket)) return undefined;
  const found = known.get(socket) ?? readPeer(socket);
  if (found !== undefined) known.set(socket, found);
  return found;
}

function readPeer(socket: TLSSocket): Peer | undefined {
  const own = socket.getPeerX509Certificate();
  if (own === undefined) return undefined;
  const chain = chainOf(own);
  return {
    fingerprint: own.fingerprint256.replaceAll(':', ''),
    validFrom: Math.max(...chain.map((one) => Date.parse(one.validFrom))),
    validTo: Math.min(...chain.map((one) => Date.parse(one.validTo))),
  };
}

function chainOf(own: X509Certificate): X509Certificate[] {
  const chain = [own];
  for (
    let next = own.issuerCertificate;
    next !== undefined && chain.length < MOST_IN_A_CHAIN;
    next = next.issuerCertificate
  )
    chain.push(next);
  return chain;
}

function isTls(socket: unknown): socket is TLSSocket {
  return typeof socket === 'object' && socket !== null && 'getPeerX509Certificate' in socket;
}
