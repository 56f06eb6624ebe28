/** Where a secure channel's session keys come from: a port, behind which an HSM derives them. */
import { type Aid, aidBytes } from '../card/aid.ts';
import { wipe } from '../card/bytes.ts';
import { retailMac } from './des.ts';
import { pad80 } from './padding.ts';

/** Session keys of a secure channel. Whoever asked for them wipes them. */
export interface ChannelSessionKeys {
  readonly enc: Uint8Array;
  readonly mac: Uint8Array;
  readonly rmac: Uint8Array;
  /** SCP02 only: the session DEK. */
  readonly dek?: Uint8Array;
}

/** Overwrites session keys. */
export function wipeSessionKeys(keys: ChannelSessionKeys): void {
  wipe(keys.enc, keys.mac, keys.rmac);
  if (keys.dek !== undefined) wipe(keys.dek);
}

/** What session keys are derived from. */
export type ChannelContext =
  | { readonly scp: '02'; readonly sequenceCounter: Uint8Array }
  | { readonly scp: '03'; readonly hostChallenge: Uint8Array; readonly cardChallenge: Uint8Array };

/** Gives the session keys of one security domain of one card. Its static keys are never given: in the field they are in an HSM. */
export interface SessionKeyPort {
  sessionKeys(context: ChannelContext): Promise<ChannelSessionKeys>;
}

/** Gives the one session key that the cryptograms are made with: ENC of SCP02 (GPC 2.3.1 §E.4.2), MAC of SCP03 (Amendment D §6.2.2). */
export interface CryptogramKeyPort {
  cryptogramKey(context: ChannelContext): Promise<Uint8Array>;
}

/**
 * The challenge a card with pseudo-random challenges (SCP02, i bit 40) will give, 6 bytes (GPC 2.3.1 §E.4.2.3).
 * @param sessionMac the session C-MAC key of the sequence counter that the answer will carry.
 * @param invoker AID of the application that opens the channel: the security domain's own.
 */
export function predictScp02CardChallenge(sessionMac: Uint8Array, invoker: Aid): Uint8Array {
  return retailMac(sessionMac, pad80(aidBytes(invoker), 8)).slice(0, 6);
}
