/** Why a request did not get through, told apart because the next step differs. Pure: facts in, a code out. */
import type { ErrorCode } from '../../protocol/errors.ts';

/** Five minutes, in milliseconds: a clock off by less disturbs nothing. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** While the server's time was heard within this long, the two clocks are known to agree or not. */
const RECENT_MS = 24 * 3_600_000;

/** Validity of a certificate, milliseconds since 1970. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What is known about time when a handshake fails. */
export interface TimeEvidence {
  /** What this machine's clock says. */
  readonly now: number;
  /** Of our own certificate, and of the CA our configuration pins. */
  readonly own: Validity;
  readonly ca: Validity;
  /**
   * The last Date header of a server we had verified: its value, and how far ahead of it our clock was then. Kept over
   * restarts.
   */
  readonly heard?: { readonly serverTime: number; readonly ahead: number };
}

/**
 * What the evidence says of our clock.
 * - Behind for certain: before our own certificate or the CA was made, or before a time that the server has already told.
 * - Ahead or behind by what the last Date header showed.
 * - Right: a Date header within the last day agreed with it.
 * Being *past* our own certificate's end proves nothing alone: certificates do run out.
 */
function judgeClock(evidence: TimeEvidence): 'wrong' | 'right' | 'unknown' {
  const { now, own, ca, heard } = evidence;
  if (now < Math.max(own.notBefore, ca.notBefore) - CLOCK_TOLERANCE_MS) return 'wrong';
  if (heard === undefined) return 'unknown';
  if (now < heard.serverTime - CLOCK_TOLERANCE_MS) return 'wrong';
  // `heard.ahead` was measured at our clock's serverTime + ahead; it says nothing about a clock set since, unless little
  // time has passed by that very clock.
  if (now - (heard.serverTime + heard.ahead) > RECENT_MS) return 'unknown';
  return Math.abs(heard.ahead) > CLOCK_TOLERANCE_MS ? 'wrong' : 'right';
}

/** OpenSSL's verdicts on the *server's* chain that may come from our clock (X509_V_ERR_*). */
const TIME_VERDICTS: Readonly<Record<string, 'early' | 'late'>> = {
  CERT_NOT_YET_VALID: 'early',
  CRL_NOT_YET_VALID: 'early',
  CERT_HAS_EXPIRED: 'late',
  CRL_HAS_EXPIRED: 'late',
};

/** OpenSSL's other verdicts on the server's chain, and Node's on its name: whoever answered is not our server. */
const NOT_TRUSTED =
  /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|CRL_|INVALID_|PATH_LENGTH|HOSTNAME_MISMATCH|ERR_TLS_CERT_ALTNAME|ERROR_IN_CERT|OUT_OF_MEM|CA_)/;

/** Alerts by which a server refuses *our* certificate (RFC 8446 §6.2), as OpenSSL names them in error codes. */
const CERTIFICATE_ALERT =
  /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_REVOKED|CERTIFICATE_EXPIRED|CERTIFICATE_UNKNOWN|CERTIFICATE_REQUIRED|UNKNOWN_CA|ACCESS_DENIED|NO_CERTIFICATE|HANDSHAKE_FAILURE|DECRYPT_ERROR)/;

/**
 * The code for a request that got no answer. `nodeCode`: the error's `code`.
 *
 * Our clock plays no part in the server's judgement of our certificate, so an alert about it is always
 * `server-refused-certificate`. Our clock does decide whether the server's chain looks valid to us:
 * - chain "not yet valid": nobody issues certificates for the future, so it is our clock unless that is known to be right;
 * - chain "expired": forgotten renewals are as common as clocks ahead, so it is our clock only with evidence: the clock is
 *   known to be wrong, or by it our own certificate is over as well.
 */
export function codeOfTransportError(nodeCode: string, evidence: TimeEvidence): ErrorCode {
  const verdict = TIME_VERDICTS[nodeCode];
  if (verdict !== undefined) {
    const clock = judgeClock(evidence);
    if (clock === 'wrong') return 'wrong-clock';
    if (clock === 'right') return 'server-not-trusted';
    return verdict === 'early' || evidence.now > evidence.own.notAfter ? 'wrong-clock' : 'server-not-trusted';
  }
  if (CERTIFICATE_ALERT.test(nodeCode)) return 'server-refused-certificate';
  if (NOT_TRUSTED.test(nodeCode)) return 'server-not-trusted';
  if (nodeCode === 'BODY_TOO_LARGE' || nodeCode.startsWith('HPE_')) return 'server-answer-invalid';
  // Whatever speaks there does not speak TLS 1.3: a captive portal, a proxy, another service.
  if (nodeCode.startsWith('ERR_SSL_') || nodeCode === 'EPROTO') return 'server-not-trusted';
  return 'server-away';
}
