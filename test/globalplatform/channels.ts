/** Secure channels with keys that are known here, for tests of the host's side. */
export {
  CardCryptogramError,
  ChannelParameterError,
  ChannelStateError,
  ResponseSecurityError,
} from '../../app/globalplatform/errors.ts';
export { scp02Cryptograms } from '../../app/globalplatform/scp02.ts';
export { scp03Cryptograms } from '../../app/globalplatform/scp03.ts';
export { openChannel, type SecureChannel } from '../../app/globalplatform/secure-channel.ts';
export {
  type ChannelContext,
  type ChannelSessionKeys,
  predictScp02CardChallenge,
  type SessionKeyPort,
} from '../../app/globalplatform/session-keys.ts';
export { deriveSessionKeys, predictCardChallenge } from '../support/globalplatform/static-session-keys.ts';
