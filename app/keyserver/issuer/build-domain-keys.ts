/**
 * Moving a card from the factory's keys to the issuer's own: all three in one PUT KEY, authenticated under the new version, the old
 * set deleted last, and where the profile asks for it the card SECURED behind that. Where the move stands is read off the card's
 * record and the version that the card shows, so that going on after a tear and starting are the same thing.
 */

import { VANISHING_VERSION } from '../../catalogue/domain-schema.ts';
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { CARD_STATES, deleteKeys, setStatus } from '../../globalplatform/commands.ts';
import { putKey, putKeyAnswer } from '../../globalplatform/put-key.ts';
import { getStatus } from '../../globalplatform/status.ts';
import { domainOf, withDomain } from './card-state.ts';
import {
  authenticateDraft,
  type DomainChannel,
  openDomainChannel,
  protectedDraft,
} from './domain-channel.ts';
import { type DomainKeySet, intendMove, sameSet, withData } from './domain-keys.ts';
import { doubtedApps } from './doubt.ts';
import { type Draft, exactly } from './draft.ts';
import { channelHead, headOf } from './heads.ts';
import { lookDrafts } from './look.ts';
import { nextStep } from './next-step.ts';
import type { IssuerPorts } from './ports.ts';
import { failJob, type JobOnCard, type NextCommands } from './progress.ts';

/** How often PUT KEY may be sent in one job; each time after the first follows a tear. */
const MOST_MOVES = 3;

/** 6A88: there is none, which is what a deletion wants. */
const GONE = ['9000', '6A88'];

/** Refusing a state that the card has already, or has passed, is no reason to stop: what state it is in is read behind. */
const ANY_STATE = ['9000', '69', '6A'];

type IssuerKeys = NonNullable<NonNullable<CardTypeProfile['securityDomain']>['issuerKeys']>;

/** The next commands of the move; none when it cannot go on (the error is in `next`). */
export async function buildDomainKeys(now: JobOnCard, ports: IssuerPorts): Promise<NextCommands> {
  const at = now.job.at;
  const target = now.job.domainTarget;
  const rules = ports.profile.securityDomain?.issuerKeys;
  const given = now.job.scratch.channel;
  if (target === null || rules === undefined) return { drafts: [], next: failJob(now, 'card-refused-key') };
  if (given === undefined || given.step !== at) return { drafts: headOf(now, at, ports), next: now };
  const opened = await openDomainChannel(now, given, ports);
  if ('failed' in opened) return { drafts: [], next: failJob(now, opened.failed) };
  try {
    return sameSet(opened.set, target)
      ? finish(opened, rules, ports)
      : await move(opened, target, rules, ports);
  } finally {
    opened.channel.close();
  }
}

/** PUT KEY under the old set, and at once the beginning of a channel under the new one. */
async function move(
  { channel, set, response, next: now }: DomainChannel,
  target: DomainKeySet,
  rules: IssuerKeys,
  ports: IssuerPorts,
): Promise<NextCommands> {
  const at = now.job.at;
  const moves = now.job.domainMoves + 1;
  if (moves > MOST_MOVES) return { drafts: [], next: failJob(now, 'card-refused-key') };
  const to = set.data === null ? target : withData(target, set.data);
  const keys = await ports.domainKeys.wrap({
    under: set,
    keys: to,
    sequenceCounter: response.scp === '02' ? response.sequenceCounter : undefined,
  });
  const command = putKey({
    newVersion: to.keyVersion,
    keys,
    ...(rules.put === 'replace' ? { replaces: set.keyVersion } : {}),
    aesKeyForm: ports.profile.securityDomain?.aesKeyForm ?? 'with-length',
  });
  const card = withDomain(now.card, intendMove(domainOf(now.card, ports.profile), set, to));
  const next = { job: { ...now.job, domainMoves: moves }, card };
  const authenticate = authenticateDraft(at, channel, { kind: 'channel', finishes: false });
  const write = protectedDraft(
    at,
    channel,
    'write-domain-keys',
    command,
    { kind: 'put-keys', from: set, to },
    // The card's own check values, compared where the answer comes in.
    { expect: exactly(putKeyAnswer(to.keyVersion, keys)) },
  );
  return { drafts: [authenticate, write, ...channelHead(next, at, ports)], next };
}

/** Under the new set: what is left behind goes, and the next step's beginning travels along. */
function finish({ channel, next: now }: DomainChannel, rules: IssuerKeys, ports: IssuerPorts): NextCommands {
  const at = now.job.at;
  const leaving = domainOf(now.card, ports.profile).leaving;
  const makers: ((finishes: boolean) => Draft)[] = [
    (finishes) => authenticateDraft(at, channel, { kind: 'channel', finishes }),
  ];
  if (leaving !== null && rules.put === 'add' && leaving.keyVersion !== VANISHING_VERSION) {
    const command = deleteKeys({ keyVersion: leaving.keyVersion });
    makers.push((finishes) =>
      protectedDraft(
        at,
        channel,
        'remove-domain-keys',
        command,
        { kind: 'domain', finishes },
        { accept: GONE },
      ),
    );
  }
  if (rules.secured) makers.push(...securing(at, channel));
  const drafts = makers.map((make, i) => make(i === makers.length - 1));
  const look = lookDrafts(at, channel, doubtedApps(now, ports), ports);
  return { drafts: [...drafts, ...look, ...headOf(now, nextStep(now), ports)], next: now };
}

/** INITIALIZED first, which some cards want; then the state is read, because a card that is SECURED already refuses both. */
function securing(at: number, channel: DomainChannel['channel']): ((finishes: boolean) => Draft)[] {
  const state = (value: number) => (finishes: boolean) =>
    protectedDraft(
      at,
      channel,
      'secure-card',
      setStatus({ kind: 'card' }, value),
      { kind: 'domain', finishes },
      { accept: ANY_STATE },
    );
  const read = (finishes: boolean) =>
    protectedDraft(at, channel, 'read-card-state', getStatus('issuer-security-domain'), {
      kind: 'card-state',
      finishes,
    });
  return [state(CARD_STATES.initialized), state(CARD_STATES.secured), read];
}
