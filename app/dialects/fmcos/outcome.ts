/** What a status word means in the FMCOS dialect: not of ISO alone. */

/** Outcome of one command. */
export type FmcosOutcome =
  | { readonly kind: 'ok' }
  /** EXTERNAL AUTHENTICATE with a wrong key; `triesLeft` before the key locks. */
  | { readonly kind: 'wrong-key'; readonly triesLeft: number }
  /** The key is locked, for good. */
  | { readonly kind: 'locked' }
  | { readonly kind: 'mac-wrong' }
  /** A key's own check failed, or the enciphered key record was not one. The card is set aside. */
  | { readonly kind: 'key-check-error' }
  /** The application is locked for good. */
  | { readonly kind: 'application-locked' }
  /** No such application, file, record or key. */
  | { readonly kind: 'not-found' }
  /** The right has not been authenticated for. */
  | { readonly kind: 'security-not-satisfied' }
  /** Conditions of use: no challenge outstanding, most often. */
  | { readonly kind: 'conditions-not-satisfied' }
  | { readonly kind: 'other'; readonly sw: number };

/** Reads a status word. */
export function fmcosOutcome(sw: number): FmcosOutcome {
  if ((sw & 0xfff0) === 0x63c0) return { kind: 'wrong-key', triesLeft: sw & 0x0f };
  switch (sw) {
    case 0x9000:
      return { kind: 'ok' };
    case 0x6983:
      return { kind: 'locked' };
    case 0x6988:
    case 0x9302:
      return { kind: 'mac-wrong' };
    case 0x6283:
      return { kind: 'key-check-error' };
    case 0x9303:
      return { kind: 'application-locked' };
    case 0x6a82:
    case 0x6a83:
    case 0x6a88:
    case 0x9403:
      return { kind: 'not-found' };
    case 0x6982:
      return { kind: 'security-not-satisfied' };
    case 0x6985:
      return { kind: 'conditions-not-satisfied' };
    default:
      return { kind: 'other', sw };
  }
}
