/** Security levels of a secure channel (GPC 2.3.1 table 10-1), and which fit which protocol and options. */
import { ChannelParameterError } from './errors.ts';

/** Bits: 01 C-MAC, 02 C-DECRYPTION, 10 R-MAC, 20 R-ENCRYPTION. */
export type SecurityLevel = 0x00 | 0x01 | 0x03 | 0x10 | 0x11 | 0x13 | 0x33;

/** The two protocols we speak. */
export type Scp = '02' | '03';

/** Levels that carry what changes a card: with a C-MAC at least, or whoever forwards commands could send others. */
export const MANAGEMENT_LEVELS = ['01', '03', '11', '13', '33'] as const;

export const C_MAC = 0x01;
export const C_DECRYPTION = 0x02;
export const R_MAC = 0x10;
export const R_ENCRYPTION = 0x20;

/** SCP02 with explicit initiation and three keys; MAC on modified APDUs (GPC 2.3.1 table E-1). */
const SCP02_OPTIONS: readonly number[] = [0x05, 0x15, 0x25, 0x35, 0x45, 0x55, 0x65, 0x75];
const SCP02_LEVELS: readonly SecurityLevel[] = [0x00, 0x01, 0x03, 0x10, 0x11, 0x13];
/** SCP03 (Amendment D table 5-1); bit 01 is S16. */
const SCP03_OPTIONS: readonly number[] = [0x00, 0x10, 0x20, 0x30, 0x60, 0x70];
const SCP03_LEVELS: readonly SecurityLevel[] = [0x00, 0x01, 0x03, 0x11, 0x13, 0x33];

/** SCP02, i: the C-MAC's initial value is enciphered from the second command on. */
export const SCP02_ICV_ENCRYPTION = 0x10;
/** SCP02, i: the card's challenge follows from the sequence counter. */
const SCP02_PREDICTABLE = 0x40;
/** SCP03, i: the card's challenge follows from the sequence counter. */
const SCP03_PREDICTABLE = 0x10;
/** SCP03, i: challenges, cryptograms and MACs have 16 bytes instead of 8. */
export const SCP03_S16 = 0x01;

/**
 * Refuses options we do not speak and levels the card's options do not offer; gives the level back as one we know.
 * @throws ChannelParameterError
 */
export function checkSecurityLevel(scp: Scp, i: number, level: number): SecurityLevel {
  const options = scp === '02' ? SCP02_OPTIONS.includes(i) : SCP03_OPTIONS.includes(i & ~SCP03_S16);
  if (!options) throw new ChannelParameterError(`SCP${scp} i=${hex(i)} is not supported`);
  const levels = scp === '02' ? SCP02_LEVELS : SCP03_LEVELS;
  const known = levels.find((each) => each === level);
  if (known === undefined) throw new ChannelParameterError(`SCP${scp} has no security level ${hex(level)}`);
  const offers = i & 0x20 ? (scp === '03' && i & 0x40 ? R_MAC | R_ENCRYPTION : R_MAC) : 0;
  if ((level & (R_MAC | R_ENCRYPTION) & ~offers) !== 0)
    throw new ChannelParameterError(`SCP${scp} i=${hex(i)} does not offer security level ${hex(level)}`);
  return known;
}

/** The same level with R-MACs on the card's answers; undefined where its options offer none. @throws ChannelParameterError */
export function withResponseMac(scp: Scp, i: number, level: number): SecurityLevel | undefined {
  return (i & 0x20) === 0 ? undefined : checkSecurityLevel(scp, i, level | R_MAC);
}

/**
 * Most plain data bytes a command may carry so that, protected, it still fits a short APDU: 255 without, 247 with C-MAC, 239
 * with C-MAC and C-DECRYPTION (SCP03 in S16 mode: 239 and 223).
 * @param macLength 8, or 16 for S16.
 */
export function maximumBlockSize(level: number, macLength: 8 | 16 = 8): number {
  if ((level & C_MAC) === 0) return 255;
  const room = 255 - macLength;
  if ((level & C_DECRYPTION) === 0) return room;
  // Padding adds at least one byte. For 8-byte MACs the blocks of DES and of AES give the same figure.
  return Math.floor(room / 16) * 16 - 1;
}

function hex(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

/** Whether a card with these options gives challenges that follow from its sequence counter. */
export function hasPredictableChallenges(scp: Scp, i: number): boolean {
  return (i & (scp === '02' ? SCP02_PREDICTABLE : SCP03_PREDICTABLE)) !== 0;
}
