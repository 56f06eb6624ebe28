/** A secure channel with the card's security domain: under the set of keys that the card itself shows to have. */
import type { CommandApdu } from '../../card/apdu.ts';
import { fromHex, toHex } from '../../card/bytes.ts';
import { CardCryptogramError, ChannelParameterError, GpFormatError } from '../../globalplatform/errors.ts';
import { type InitializeUpdate, parseInitializeUpdate } from '../../globalplatform/initialize-update.ts';
import { openChannel, type SecureChannel } from '../../globalplatform/secure-channel.ts';
import { R_MAC } from '../../globalplatform/security-level.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { StepName } from '../../protocol/wire.ts';
import { domainOf, withDomain } from './card-state.ts';
import {
  type DomainKeySet,
  mayAuthenticate,
  provenSet,
  spendAuthentication,
  withData,
} from './domain-keys.ts';
import { type Draft, type DraftOptions, draft } from './draft.ts';
import type { IssuerPorts } from './ports.ts';
import type { JobOnCard } from './progress.ts';
import type { Meaning, Scratch } from './state.ts';

/** A channel whose card has proven `set`; `next` knows that, and that an authentication is about to be sent. */
export interface DomainChannel {
  readonly channel: SecureChannel;
  readonly set: DomainKeySet;
  readonly response: InitializeUpdate;
  readonly next: JobOnCard;
}

/**
 * Opens the channel that INITIALIZE UPDATE began. EXTERNAL AUTHENTICATE is never sent to a card whose cryptogram does not match.
 * @throws VaultError
 */
export async function openDomainChannel(
  now: JobOnCard,
  given: NonNullable<Scratch['channel']>,
  ports: IssuerPorts,
): Promise<DomainChannel | { readonly failed: ErrorCode }> {
  const domain = ports.profile.securityDomain;
  if (domain === undefined) return { failed: 'card-refused-key' };
  const state = domainOf(now.card, ports.profile);
  try {
    const response = parseInitializeUpdate(fromHex(given.response));
    const shown = state.candidates.find((one) => one.keyVersion === response.keyVersion);
    if (shown === undefined) return { failed: 'card-refused-key' };
    const set = withData(shown, toHex(response.keyDiversificationData));
    if (!mayAuthenticate(state, domain.maximumTries)) return { failed: 'card-tries-low' };
    const channel = await openChannel(
      {
        scp: domain.scp,
        i: domain.i,
        securityLevel: domain.securityLevel,
        hostChallenge: fromHex(given.hostChallenge),
        response,
      },
      ports.domainKeys.session(set),
    );
    const card = withDomain(now.card, spendAuthentication(provenSet(state, set)));
    const { hostChallenge } = given;
    const opened = { set, hostChallenge, response: given.response };
    const job = { ...now.job, channel: guards(channel) ? opened : null };
    return { channel, set, response, next: { job, card } };
  } catch (error) {
    const cardIsWrong =
      error instanceof CardCryptogramError ||
      error instanceof GpFormatError ||
      error instanceof ChannelParameterError;
    if (cardIsWrong) return { failed: 'card-refused-key' };
    throw error;
  }
}

/** Whether answers in this channel carry an R-MAC. */
function guards(channel: SecureChannel): boolean {
  return (channel.securityLevel & R_MAC) !== 0;
}

/** A command behind EXTERNAL AUTHENTICATE, protected as the channel's level asks. They all change the card, or may follow what did. */
export function protectedDraft(
  at: number,
  channel: SecureChannel,
  name: StepName,
  command: CommandApdu,
  meaning: Meaning,
  options: Omit<DraftOptions, 'effect' | 'guarded'> = {},
): Draft {
  return draft(at, name, channel.wrap(command), meaning, {
    ...options,
    effect: true,
    guarded: guards(channel),
  });
}

/** The first command in a channel. Effect, because it spends a try when it fails. */
export function authenticateDraft(at: number, channel: SecureChannel, meaning: Meaning): Draft {
  const options: DraftOptions = { effect: true };
  return draft(at, 'authenticate-secure-channel', channel.externalAuthenticate(), meaning, options);
}
