/** Opening a secure channel with a security domain, and the channel itself, whichever protocol it speaks. */
import { type CommandApdu, decodeCommand, type ResponseApdu } from '../card/apdu.ts';
import { equalBytes, wipe } from '../card/bytes.ts';
import { CardCryptogramError, ChannelParameterError, ChannelStateError } from './errors.ts';
import type { InitializeUpdate } from './initialize-update.ts';
import type { Messaging } from './messaging.ts';
import { Scp02Messaging, scp02Cryptograms } from './scp02.ts';
import { Scp03Messaging, scp03Cryptograms } from './scp03.ts';
import {
  checkSecurityLevel,
  maximumBlockSize,
  SCP03_S16,
  type Scp,
  type SecurityLevel,
} from './security-level.ts';
import type {
  ChannelContext,
  ChannelSessionKeys,
  CryptogramKeyPort,
  SessionKeyPort,
} from './session-keys.ts';

/** What a channel is opened with: the card type's protocol and options, the wished level, and the dialogue so far. */
interface ChannelRequest {
  readonly scp: Scp;
  readonly i: number;
  /** A `SecurityLevel`; anything else is refused. */
  readonly securityLevel: number;
  readonly hostChallenge: Uint8Array;
  /** The card's answer to INITIALIZE UPDATE. */
  readonly response: InitializeUpdate;
}

/**
 * A secure channel whose card has proven its keys. Everything is deterministic: wrapping the same commands again after
 * opening with the same request gives the same bytes. MACs chain over commands only, so all commands can be wrapped
 * before the first answer is there; answers are unwrapped in the order of the commands.
 */
export interface SecureChannel {
  readonly scp: Scp;
  readonly securityLevel: SecurityLevel;
  /** Most plain data bytes of one wrapped command. */
  readonly maximumBlockSize: number;
  /** EXTERNAL AUTHENTICATE, once, before anything else. Its answer is plain and not unwrapped. @throws ChannelStateError */
  externalAuthenticate(): Uint8Array;
  /**
   * Protects one command for logical channel 0 as the security level asks.
   * @throws ChannelStateError before EXTERNAL AUTHENTICATE or after close; RangeError when it gets too long.
   */
  wrap(command: CommandApdu): Uint8Array;
  /**
   * Checks and opens the answer to the oldest wrapped command not yet answered.
   * @throws ResponseSecurityError, and the channel is closed; ChannelStateError when there is no such command.
   */
  unwrap(response: ResponseApdu): ResponseApdu;
  /**
   * Takes in, after EXTERNAL AUTHENTICATE, what another channel opened with the same request wrapped: whoever checks answers need not
   * have built the commands.
   * @throws ChannelStateError when it is not the next command of this session, and the channel is closed.
   */
  replay(wrapped: Uint8Array): void;
  /** Overwrites the session keys. May be called again. */
  close(): void;
}

/**
 * Gets the session keys and verifies the card cryptogram before anything else.
 * @throws CardCryptogramError when the card has other keys (EXTERNAL AUTHENTICATE must not be sent then);
 * ChannelParameterError when protocol, options, level and answer do not fit; whatever the port throws.
 */
export async function openChannel(request: ChannelRequest, port: SessionKeyPort): Promise<SecureChannel> {
  const { scp, i, hostChallenge, response } = request;
  const securityLevel = checkSecurityLevel(scp, i, request.securityLevel);
  requireFit(request);
  const keys = await port.sessionKeys(contextOf(hostChallenge, response));
  const messaging = messagingOf(scp, i, securityLevel, keys);
  let host: Uint8Array;
  try {
    host = checkedCryptograms(request, response.scp === '02' ? keys.enc : keys.mac).host;
  } catch (error) {
    messaging.wipe();
    throw error;
  }
  const macLength = scp === '03' && (i & SCP03_S16) !== 0 ? 16 : 8;
  return new OpenChannel(scp, securityLevel, maximumBlockSize(securityLevel, macLength), messaging, host);
}

/**
 * Verifies the card's cryptogram, where no channel is to be opened: that the card with these keys has answered this challenge.
 * @throws CardCryptogramError, ChannelParameterError; whatever the port throws
 */
export async function verifyCardCryptogram(
  request: Omit<ChannelRequest, 'securityLevel'>,
  port: CryptogramKeyPort,
): Promise<void> {
  requireFit(request);
  const key = await port.cryptogramKey(contextOf(request.hostChallenge, request.response));
  try {
    checkedCryptograms(request, key);
  } finally {
    wipe(key);
  }
}

/** @throws ChannelParameterError when the answer is not one that a card of the type gives to this challenge */
function requireFit({ scp, i, hostChallenge, response }: Omit<ChannelRequest, 'securityLevel'>): void {
  const size = response.scp === '03' ? response.cardChallenge.length : 8;
  if (response.scp !== scp) throw new ChannelParameterError(`the card speaks SCP${response.scp}`);
  if (response.scp === '03' && response.i !== i)
    throw new ChannelParameterError('the card answers with other options i than its type has');
  if (hostChallenge.length !== size) throw new ChannelParameterError('host challenge of another length');
}

function contextOf(hostChallenge: Uint8Array, response: InitializeUpdate): ChannelContext {
  return response.scp === '02'
    ? { scp: '02', sequenceCounter: response.sequenceCounter }
    : { scp: '03', hostChallenge, cardChallenge: response.cardChallenge };
}

/** Both cryptograms under the session key that they are made with. @throws CardCryptogramError when the card's is another */
function checkedCryptograms(
  { hostChallenge, response }: Pick<ChannelRequest, 'hostChallenge' | 'response'>,
  key: Uint8Array,
) {
  const cryptograms =
    response.scp === '02'
      ? scp02Cryptograms(key, hostChallenge, response.sequenceCounter, response.cardChallenge)
      : scp03Cryptograms(key, hostChallenge, response.cardChallenge);
  if (!equalBytes(cryptograms.card, response.cardCryptogram)) throw new CardCryptogramError();
  return cryptograms;
}

function messagingOf(scp: Scp, i: number, level: SecurityLevel, keys: ChannelSessionKeys): Messaging {
  return scp === '02'
    ? new Scp02Messaging(keys, i, level)
    : new Scp03Messaging(keys, level, (i & SCP03_S16) !== 0 ? 16 : 8);
}

class OpenChannel implements SecureChannel {
  readonly scp: Scp;
  readonly securityLevel: SecurityLevel;
  readonly maximumBlockSize: number;
  readonly #messaging: Messaging;
  readonly #hostCryptogram: Uint8Array;
  #state: 'opened' | 'authenticating' | 'closed' = 'opened';

  constructor(
    scp: Scp,
    level: SecurityLevel,
    blockSize: number,
    messaging: Messaging,
    hostCryptogram: Uint8Array,
  ) {
    this.scp = scp;
    this.securityLevel = level;
    this.maximumBlockSize = blockSize;
    this.#messaging = messaging;
    this.#hostCryptogram = hostCryptogram;
  }

  externalAuthenticate(): Uint8Array {
    if (this.#state !== 'opened')
      throw new ChannelStateError('EXTERNAL AUTHENTICATE is the first command, once');
    this.#state = 'authenticating';
    return this.#messaging.externalAuthenticate(this.#hostCryptogram);
  }

  wrap(command: CommandApdu): Uint8Array {
    this.#expectAuthenticating();
    if ((command.cla & 0x43) !== 0) throw new RangeError('a command for another logical channel than 0');
    if ((command.cla & 0x0c) !== 0) throw new RangeError('a command that is protected already');
    if ((command.data?.length ?? 0) > this.maximumBlockSize)
      throw new RangeError(`command data longer than ${this.maximumBlockSize} bytes`);
    return this.#messaging.wrap(command);
  }

  unwrap(response: ResponseApdu): ResponseApdu {
    this.#expectAuthenticating();
    try {
      return this.#messaging.unwrap(response);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  replay(wrapped: Uint8Array): void {
    this.#expectAuthenticating();
    try {
      this.#messaging.replay(decodeCommand(wrapped));
    } catch (error) {
      this.close();
      throw error instanceof RangeError ? new ChannelStateError('no command of this session') : error;
    }
  }

  close(): void {
    this.#state = 'closed';
    this.#messaging.wipe();
  }

  #expectAuthenticating(): void {
    if (this.#state === 'opened') throw new ChannelStateError('EXTERNAL AUTHENTICATE comes first');
    if (this.#state === 'closed') throw new ChannelStateError('the channel is closed');
  }
}
