/** Session keys from static keys as bytes: what an HSM does in the field, for recorded dialogues and published vectors. */
import { type Aid, aidBytes } from '../../../app/card/aid.ts';
import { concat } from '../../../app/card/bytes.ts';
import { scp03Kdf } from '../../../app/globalplatform/aes.ts';
import { DesKey } from '../../../app/globalplatform/des.ts';
import type { ChannelContext, ChannelSessionKeys } from '../../../app/globalplatform/session-keys.ts';

/** Static keys of a security domain, as bytes: where no HSM holds them. */
export interface StaticChannelKeys {
  readonly enc: Uint8Array;
  readonly mac: Uint8Array;
  readonly dek: Uint8Array;
}

/** Session keys as SCP02 (GPC 2.3.1 §E.4.1) or SCP03 (Amendment D §6.2.1) derive them. */
export function deriveSessionKeys(keys: StaticChannelKeys, context: ChannelContext): ChannelSessionKeys {
  if (context.scp === '02') {
    const derive = (key: Uint8Array, constant: number) =>
      new DesKey(key).cbc(concat(Uint8Array.of(0x01, constant), context.sequenceCounter, new Uint8Array(12)));
    return {
      enc: derive(keys.enc, 0x82),
      mac: derive(keys.mac, 0x01),
      rmac: derive(keys.mac, 0x02),
      dek: derive(keys.dek, 0x81),
    };
  }
  const challenges = concat(context.hostChallenge, context.cardChallenge);
  return {
    enc: scp03Kdf(keys.enc, 0x04, challenges, keys.enc.length),
    mac: scp03Kdf(keys.mac, 0x06, challenges, keys.mac.length),
    rmac: scp03Kdf(keys.mac, 0x07, challenges, keys.mac.length),
  };
}

/**
 * The challenge a card with pseudo-random challenges (SCP03, i bit 10) will give, 8 or 16 bytes (Amendment D §6.2.2.1).
 * @param keyEnc the static ENC key.
 * @param sequenceCounter 3 bytes, as the answer to that INITIALIZE UPDATE will carry it.
 * @param invoker AID of the application that opens the channel: the security domain's own.
 */
export function predictCardChallenge(
  keyEnc: Uint8Array,
  sequenceCounter: Uint8Array,
  invoker: Aid,
  size: 8 | 16 = 8,
): Uint8Array {
  if (sequenceCounter.length !== 3) throw new RangeError('sequence counter of another length than 3');
  return scp03Kdf(keyEnc, 0x02, concat(sequenceCounter, aidBytes(invoker)), size);
}
