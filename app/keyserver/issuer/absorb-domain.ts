/** What answers teach of the security domain's keys: channels with it, and the move to the issuer's own. */
import { type Fate, leavesDoubt } from '../../dialects/fate.ts';
import { CARD_STATES } from '../../globalplatform/commands.ts';
import { GpFormatError } from '../../globalplatform/errors.ts';
import { parseStatus } from '../../globalplatform/status.ts';
import { withDomain } from './card-state.ts';
import {
  authenticated,
  type DomainState,
  moveDone,
  moveUndone,
  returnAuthentication,
  withShownData,
} from './domain-keys.ts';
import { failJob, failStep, type JobOnCard, remember, setCardAside } from './progress.ts';
import type { Meaning, Sent } from './state.ts';

type PutKeys = Extract<Meaning, { kind: 'put-keys' }>;

/**
 * INITIALIZE UPDATE found no keys of the version that a change was going to. That is a status word, which a station can invent: both sets stay
 * possible until the card has given the cryptogram of one.
 */
export function absorbMissingKeys(now: JobOnCard): JobOnCard {
  return remember(now, { newestMissing: true });
}

/** A channel was opened as foretold: what its keys are diversified with is the card's own. */
export function absorbShownData(now: JobOnCard, data: string): JobOnCard {
  return change(now, (state) => withShownData(state, data));
}

/** EXTERNAL AUTHENTICATE of a channel. A refusal keeps the try that was counted before it was sent. */
export function absorbChannel(now: JobOnCard, sent: Sent, finishes: boolean, fate: Fate): JobOnCard {
  switch (fate.kind) {
    case 'ok': {
      const open = change(now, authenticated);
      return finishes ? moved(open) : open;
    }
    case 'refused':
      return failStep(now, sent.step, 'card-refused-key');
    case 'unsent':
      return change(now, returnAuthentication);
    case 'unknown':
      return now;
  }
}

/** Status word of a success, whose data were not what they had to be. */
const SUCCESS = 0x9000;

export function absorbPutKeys(now: JobOnCard, { from, to }: PutKeys, fate: Fate): JobOnCard {
  switch (fate.kind) {
    case 'ok':
      return touchDomain(change(now, (state) => moveDone(state, to)));
    case 'unsent':
      return change(now, (state) => moveUndone(state, from));
    case 'unknown':
      return touchDomain(now);
    case 'refused':
      if (fate.sw === SUCCESS) return setCardAside(touchDomain(now), { code: 'domain-keys-differ' });
      if (leavesDoubt(fate.sw)) return failJob(touchDomain(now), 'card-refused-command');
      return failJob(
        change(now, (state) => moveUndone(state, from)),
        'card-refused-command',
      );
  }
}

/** Deleting the old set, and the way to SECURED: until the last of it has happened, the move is not done. */
export function absorbDomain(now: JobOnCard, finishes: boolean, fate: Fate): JobOnCard {
  switch (fate.kind) {
    case 'ok':
      return finishes ? moved(touchDomain(now)) : touchDomain(now);
    case 'refused':
      return failJob(now, 'card-refused-command');
    case 'unknown':
      return touchDomain(now);
    case 'unsent':
      return now;
  }
}

/** The card's own word on its state. */
export function absorbCardState(now: JobOnCard, finishes: boolean, fate: Fate): JobOnCard {
  if (fate.kind !== 'ok' || !fate.answered)
    return fate.kind === 'refused' ? absorbDomain(now, finishes, fate) : now;
  return lifecycle(fate.data) === CARD_STATES.secured
    ? absorbDomain(now, finishes, fate)
    : failJob(now, 'card-refused-command');
}

function lifecycle(data: Uint8Array): number | undefined {
  try {
    return parseStatus('issuer-security-domain', 'tlv', data)[0]?.lifecycle;
  } catch (error) {
    if (error instanceof GpFormatError) return undefined;
    throw error;
  }
}

function moved(now: JobOnCard): JobOnCard {
  return change(now, (state) => ({ ...state, leaving: null }));
}

function touchDomain(now: JobOnCard): JobOnCard {
  return { ...now, job: { ...now.job, domainTouched: true } };
}

/** Every command of this kind was noted before it was sent, so there is a state to change. */
function change(now: JobOnCard, how: (state: DomainState) => DomainState): JobOnCard {
  return now.card.domain === undefined ? now : { ...now, card: withDomain(now.card, how(now.card.domain)) };
}
