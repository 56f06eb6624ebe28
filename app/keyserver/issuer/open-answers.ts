/**
 * Answers that come back with R-MACs: each is checked, and opened, before it means anything. The station saw status words only; what
 * it reports of a guarded command counts when the card's own MAC is behind it.
 */
import { equalBytes, fromHex } from '../../card/bytes.ts';
import type { Fate } from '../../dialects/fate.ts';
import {
  CardCryptogramError,
  ChannelParameterError,
  ChannelStateError,
  GpFormatError,
  ResponseSecurityError,
} from '../../globalplatform/errors.ts';
import { parseInitializeUpdate } from '../../globalplatform/initialize-update.ts';
import { openChannel, type SecureChannel } from '../../globalplatform/secure-channel.ts';
import { meets } from '../../protocol/expectation.ts';
import type { IssuerPorts } from './ports.ts';
import type { JobState, Meaning, Sent } from './state.ts';

/** A guarded command of which nothing is proven, and whether an answer came that is not the card's. */
const LOST: Fate = { kind: 'unknown' };
const UNPROVEN: Fate = { kind: 'unknown', unproven: true };

/**
 * The fates with every guarded answer checked. One whose R-MAC is missing or wrong becomes `unknown`, `unproven`, and everything
 * behind it `unknown`: it may have happened, and it is never proof that it did. So it is where a channel's opening was foretold and the
 * answer is not whole what it had to be.
 * @param commands the batch that was answered, as it was sent; asked for only where the answers are guarded.
 * @throws VaultError
 */
export async function openAnswers(
  job: JobState,
  fates: readonly Fate[],
  commands: () => Promise<readonly Uint8Array[]>,
  ports: IssuerPorts,
): Promise<Fate[]> {
  if (job.channel === null || !job.sent.some((sent, at) => sent.guarded && answered(fates[at])))
    return opened(job.sent, fates, refuseAll);
  const channel = await channelOf(job.channel, ports);
  if (channel === undefined) return opened(job.sent, fates, refuseAll);
  try {
    const sent = await commands();
    channel.externalAuthenticate();
    return opened(job.sent, fates, (at, { data, sw }) => {
      const command = sent[at];
      if (command === undefined) throw new ChannelStateError('an answer without a command');
      channel.replay(command);
      return channel.unwrap({ data, sw });
    });
  } finally {
    channel.close();
  }
}

/** Opens the answer of the command at a place in the batch. @throws ResponseSecurityError, ChannelStateError */
type Open = (at: number, fate: Answered) => { readonly data: Uint8Array; readonly sw: number };
type Answered = Extract<Fate, { kind: 'ok' | 'refused' }>;

function refuseAll(): never {
  throw new ChannelStateError('no channel of this card');
}

function opened(sent: readonly Sent[], fates: readonly Fate[], open: Open): Fate[] {
  let trusted = true;
  return fates.map((fate, at) => {
    if (!trusted) return fate.kind === 'unsent' ? fate : LOST;
    const one = sent[at];
    if (one === undefined || fate.kind === 'unknown' || fate.kind === 'unsent') return fate;
    const opening = one.meaning.kind === 'initialize-update' && one.meaning.foretold !== null;
    // An answer that was lost cannot be checked, so it proves nothing either.
    if (!answered(fate)) {
      trusted = !opening;
      return one.guarded || opening ? LOST : fate;
    }
    if (one.meaning.kind === 'initialize-update' && fate.kind === 'ok' && !asForetold(one.meaning, fate)) {
      trusted = false;
      return UNPROVEN;
    }
    if (!one.guarded) return fate;
    try {
      return judged(one, fate, open(at, fate));
    } catch (error) {
      if (!(error instanceof ResponseSecurityError || error instanceof ChannelStateError)) throw error;
      trusted = false;
      return UNPROVEN;
    }
  });
}

/** The station was not given the whole of it, so it cannot have made it up. */
function asForetold(
  { foretold }: Extract<Meaning, { kind: 'initialize-update' }>,
  { data }: Answered,
): boolean {
  return foretold === null || equalBytes(fromHex(foretold), data);
}

/** What was compared at the station for other answers is compared here. */
function judged(sent: Sent, fate: Answered, { data, sw }: { data: Uint8Array; sw: number }): Fate {
  if (fate.kind === 'refused' || !meets(sent.expectOpened, data)) return { kind: 'refused', data, sw };
  return { ...fate, data, sw };
}

function answered(fate: Fate | undefined): fate is Answered {
  return fate?.kind === 'refused' || (fate?.kind === 'ok' && fate.answered);
}

/** The channel as it was when the batch was built; undefined where card type or keys have become others since. */
async function channelOf(
  { set, hostChallenge, response, level }: NonNullable<JobState['channel']>,
  ports: IssuerPorts,
): Promise<SecureChannel | undefined> {
  const domain = ports.profile.securityDomain;
  if (domain === undefined) return undefined;
  const { scp, i } = domain;
  try {
    const request = {
      scp,
      i,
      securityLevel: level ?? domain.securityLevel,
      hostChallenge: fromHex(hostChallenge),
      response: parseInitializeUpdate(fromHex(response)),
    };
    return await openChannel(request, ports.domainKeys.session(set));
  } catch (error) {
    const changed =
      error instanceof CardCryptogramError ||
      error instanceof ChannelParameterError ||
      error instanceof GpFormatError;
    if (changed) return undefined;
    throw error;
  }
}
