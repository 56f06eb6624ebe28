/** What tests of the host's side begin with: bytes and commands, what a card says of itself, and channels with keys that are known here. */
export { type Aid, toAid } from '../../app/card/aid.ts';
export { type CommandApdu, decodeCommand, decodeResponse, encodeCommand } from '../../app/card/apdu.ts';
export { concat, fromHex, toHex } from '../../app/card/bytes.ts';
export { parseCardData, parseSequenceCounter } from '../../app/globalplatform/card-data.ts';
export {
  CardCryptogramError,
  ChannelParameterError,
  ChannelStateError,
  GpFormatError,
  ResponseSecurityError,
} from '../../app/globalplatform/errors.ts';
export { initializeUpdate, parseInitializeUpdate } from '../../app/globalplatform/initialize-update.ts';
export { parseKeyInformation } from '../../app/globalplatform/key-information.ts';
export { openChannel, type SecureChannel } from '../../app/globalplatform/secure-channel.ts';
export {
  type ChannelContext,
  type ChannelSessionKeys,
  predictScp02CardChallenge,
  type SessionKeyPort,
} from '../../app/globalplatform/session-keys.ts';
export { getStatus, parseStatus } from '../../app/globalplatform/status.ts';
export { deriveSessionKeys, predictCardChallenge } from '../support/globalplatform/static-session-keys.ts';
