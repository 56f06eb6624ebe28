/** What the two protocols' secure messaging have in common. */
import type { CommandApdu, ResponseApdu } from '../card/apdu.ts';

/** The state of one session after its keys are known. Commands and answers go through it in the card's order. */
export interface Messaging {
  /** The whole EXTERNAL AUTHENTICATE, MACed; the first command of the session. */
  externalAuthenticate(hostCryptogram: Uint8Array): Uint8Array;
  wrap(command: CommandApdu): Uint8Array;
  unwrap(response: ResponseApdu): ResponseApdu;
  /**
   * Takes in a command that `wrap` of an equal session gave, so that its answer can be unwrapped here.
   * @throws ChannelStateError when it is not the next one of this session.
   */
  replay(wrapped: CommandApdu): void;
  /** Overwrites the session keys. */
  wipe(): void;
}
