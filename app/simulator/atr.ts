/** The answer to reset (ISO/IEC 7816-3 §8): checked when somebody gives one, and read for the protocols it offers. */

/** What an answer to reset says. */
interface AnswerToReset {
  /** T values in order; 0 alone when none is named. T=15 is no protocol and left out. */
  readonly protocols: readonly number[];
  readonly historical: Uint8Array;
}

/** Reads an answer to reset; a sentence when it is none. */
export function readAtr(atr: Uint8Array): AnswerToReset | string {
  const [ts, t0] = atr;
  if (ts !== 0x3b && ts !== 0x3f) return 'an ATR begins with 3B or 3F';
  if (t0 === undefined || atr.length > 33) return 'an ATR has 2 to 33 bytes';
  const named: number[] = [];
  let at = 2;
  let follow = t0 >> 4;
  while (follow !== 0) {
    at += (follow & 1) + ((follow >> 1) & 1) + ((follow >> 2) & 1);
    if ((follow & 8) === 0) break;
    const td = atr[at];
    if (td === undefined) return 'the ATR ends within its interface bytes';
    named.push(td & 0x0f);
    follow = td >> 4;
    at += 1;
  }
  const historical = atr.slice(at, at + (t0 & 0x0f));
  const protocols = [...new Set(named)].filter((t) => t !== 15);
  const hasCheck = named.some((t) => t !== 0);
  const length = at + (t0 & 0x0f) + (hasCheck ? 1 : 0);
  if (atr.length !== length) return `the ATR has ${atr.length} bytes where its own T0 says ${length}`;
  if (hasCheck && atr.slice(1).reduce((sum, byte) => sum ^ byte, 0) !== 0)
    return 'the check byte TCK of the ATR is wrong';
  return { protocols: protocols.length > 0 ? protocols : [0], historical };
}

/**
 * Whether a reader can speak T=0 only. With a choice the card is not told which one was chosen; its answers then have
 * the form of T=1, which every T=0 client understands too.
 */
export function offersOnlyT0(atr: Uint8Array): boolean {
  const read = readAtr(atr);
  return typeof read !== 'string' && read.protocols.every((t) => t === 0);
}
