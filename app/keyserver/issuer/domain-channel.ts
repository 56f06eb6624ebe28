/** A secure channel with the card's security domain: under the set of keys that the card itself shows to have. */
import type { CommandApdu } from '../../card/apdu.ts';
import { fromHex, toHex } from '../../card/bytes.ts';
import type { Fate } from '../../dialects/fate.ts';
import { CardCryptogramError, ChannelParameterError, GpFormatError } from '../../globalplatform/errors.ts';
import { type InitializeUpdate, parseInitializeUpdate } from '../../globalplatform/initialize-update.ts';
import {
  openChannel,
  type SecureChannel,
  verifyCardCryptogram,
} from '../../globalplatform/secure-channel.ts';
import { R_MAC } from '../../globalplatform/security-level.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { StepName } from '../../protocol/wire.ts';
import { type CardState, domainOf, withDomain } from './card-state.ts';
import {
  type DomainKeySet,
  type DomainState,
  mayAuthenticate,
  provenSet,
  spendAuthentication,
  withData,
} from './domain-keys.ts';
import { channelLevel } from './doubt.ts';
import { type Draft, type DraftOptions, draft } from './draft.ts';
import type { IssuerPorts } from './ports.ts';
import type { JobOnCard } from './progress.ts';
import type { Meaning, Scratch, Sent } from './state.ts';

/** A channel whose card has proven `set`; `next` knows that, and that an authentication is about to be sent. */
export interface DomainChannel {
  readonly channel: SecureChannel;
  readonly set: DomainKeySet;
  readonly response: InitializeUpdate;
  readonly next: JobOnCard;
}

/**
 * Opens the channel that INITIALIZE UPDATE began. EXTERNAL AUTHENTICATE is never sent to a card whose answer is of another protocol or key
 * version, or whose cryptogram does not match: no key of ours was tried on it then, and the error says no more than that.
 * @throws VaultError
 */
export async function openDomainChannel(
  now: JobOnCard,
  given: NonNullable<Scratch['channel']>,
  ports: IssuerPorts,
): Promise<DomainChannel | { readonly failed: ErrorCode }> {
  const domain = ports.profile.securityDomain;
  if (domain === undefined) return { failed: 'wrong-card-type' };
  const state = domainOf(now.card, ports.profile);
  if (!mayAuthenticate(state, domain.maximumTries)) return { failed: 'card-tries-low' };
  const level = channelLevel(now, ports);
  const shown = await shownBy(now.card, given, ports, (request, keys) =>
    openChannel({ ...request, securityLevel: level }, keys),
  );
  if (typeof shown === 'string') return { failed: failureOf(shown, now, state) };
  const { channel, set, response } = shown;
  const card = withDomain(now.card, spendAuthentication(provenSet(state, set)));
  const { hostChallenge } = given;
  const own = level === domain.securityLevel ? {} : { level };
  const opened = { set, hostChallenge, response: given.response, ...own };
  const { newestMissing: _settled, ...scratch } = now.job.scratch;
  const job = { ...now.job, held: true, scratch, channel: guards(channel) ? opened : null };
  return { channel, set, response, next: { job, card } };
}

/** Why an answer to INITIALIZE UPDATE shows none of the sets that the card may have. */
type Otherwise = 'other-version' | 'other-keys' | 'other-protocol';

function failureOf(why: Otherwise, now: JobOnCard, { candidates }: DomainState): ErrorCode {
  switch (why) {
    case 'other-keys':
      return 'card-has-other-keys';
    case 'other-version':
      return answersOtherwise(now, isDelivered(candidates));
    case 'other-protocol':
      return answersOtherwise(now, true);
  }
}

/**
 * What an answer to INITIALIZE UPDATE shows: one of the sets that the card may have, by its cryptogram, which `check` verifies.
 * @throws VaultError
 */
async function shownBy<C>(
  card: CardState,
  given: Pick<NonNullable<Scratch['channel']>, 'hostChallenge' | 'response'>,
  ports: IssuerPorts,
  check: (
    request: Parameters<typeof openChannel>[0],
    keys: ReturnType<IssuerPorts['domainKeys']['session']>,
  ) => Promise<C>,
): Promise<(Omit<DomainChannel, 'next' | 'channel'> & { readonly channel: C }) | Otherwise> {
  const domain = ports.profile.securityDomain;
  if (domain === undefined) return 'other-protocol';
  try {
    const response = parseInitializeUpdate(fromHex(given.response));
    const { candidates } = domainOf(card, ports.profile);
    const known = candidates.find((one) => one.keyVersion === response.keyVersion);
    if (known === undefined) return 'other-version';
    const set = withData(known, toHex(response.keyDiversificationData));
    const { scp, i, securityLevel } = domain;
    const request = { scp, i, securityLevel, hostChallenge: fromHex(given.hostChallenge), response };
    const channel = await check(request, ports.domainKeys.session(set));
    return { channel, set, response };
  } catch (error) {
    if (error instanceof CardCryptogramError) return 'other-keys';
    if (error instanceof GpFormatError || error instanceof ChannelParameterError) return 'other-protocol';
    throw error;
  }
}

/** Only the keys that cards of the type are delivered with. */
function isDelivered(candidates: readonly DomainKeySet[]): boolean {
  return candidates.every(({ origin }) => origin === 'factory');
}

/**
 * The card speaks another protocol (GPC 2.3.1 §E.5.1.8, byte 12), or has its keys under another version. Against its type, that is, where the
 * record has nothing of its own (`byType`). That text says that the card is unchanged, so it is for jobs that have changed nothing.
 */
function answersOtherwise({ job }: JobOnCard, byType: boolean): ErrorCode {
  const changed = job.domainTouched || Object.values(job.apps).some(({ touched }) => touched);
  return byType && !changed ? 'wrong-card-type' : 'card-has-other-keys';
}

/**
 * The fates with every cryptogram judged by which a card shows that it is there: one that is not this card's becomes `unknown`, `unproven`. What the
 * keys of its set are diversified with is not taken over from here: where the record has it not yet, it proves the type of the card only.
 * @throws VaultError
 */
export async function judgePresence(
  sent: readonly Sent[],
  fates: readonly Fate[],
  card: CardState,
  ports: IssuerPorts,
): Promise<readonly Fate[]> {
  const judged = [...fates];
  for (const [at, { meaning }] of sent.entries()) {
    const fate = fates[at];
    if (meaning.kind !== 'presence' || meaning.hostChallenge === null || fate?.kind !== 'ok') continue;
    const { hostChallenge } = meaning;
    const given = { hostChallenge, response: toHex(fate.data) };
    const shown = await shownBy(card, given, ports, verifyCardCryptogram);
    if (typeof shown === 'string') judged[at] = { kind: 'unknown', unproven: true };
  }
  return judged;
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
