/** Secure channels with a security domain, and new keys for one. */
import { z } from 'zod';
import { bytes, ownBytes } from '../bytes-schema.ts';
import {
  areIssuers,
  type DomainKeyRefs,
  domainKey,
  domainKeys,
  haveOneOwner,
  OF_TWO_OWNERS,
  statedCard,
  WRITES_FACTORY_KEY,
} from '../keys.ts';
import type { Operations } from '../operation.ts';

const keys = domainKeys
  .refine((three: DomainKeyRefs) => haveOneOwner(Object.values(three)), { error: OF_TWO_OWNERS })
  .describe('ENC, MAC and DEK of one domain');

/** 8 bytes, or 16 where the card is configured for it (Amendment D §5.1). */
const hostChallenge = bytes(8, 16).refine(({ length }) => length === 8 || length === 16, {
  error: 'challenges of 8 or 16 bytes',
});

const scp02Context = z.strictObject({ scp: z.literal('02'), sequenceCounter: bytes(2) });
const scp03Context = z
  .strictObject({ scp: z.literal('03'), hostChallenge, cardChallenge: bytes(8, 16) })
  .refine((value) => value.hostChallenge.length === value.cardChallenge.length, {
    error: 'challenges of one length',
  });

/** What a secure channel's session keys are derived from. */
const context = z
  .discriminatedUnion('scp', [scp02Context, scp03Context])
  .describe('the counter of SCP02, or both challenges of SCP03');
export type ChannelContext = z.output<typeof context>;

/** Session keys of a secure channel; may be in server memory while the job runs, wiped afterwards. The DEK never is. */
const sessionKeys = z.strictObject({ enc: ownBytes, mac: ownBytes, rmac: ownBytes });
export type ChannelSessionKeys = Readonly<z.output<typeof sessionKeys>>;

const foretold = sessionKeys.extend({ cardChallenge: ownBytes });

const foretelling = z.strictObject({
  card: statedCard,
  keys,
  hostChallenge: hostChallenge.describe('8 or 16 bytes'),
  sequenceCounter: bytes(3).describe('3 bytes, as the answer will carry it'),
  invoker: bytes(5, 16).describe('AID of the domain'),
});
/** What the keys of a channel that is still to be opened follow from. */
export type Foretelling = z.output<typeof foretelling>;

/** A security domain's new key as PUT KEY carries it; `length`: bytes of the clear key. */
const wrappedKey = z.strictObject({
  kind: z.enum(['des', 'aes']),
  length: z.int().min(16).max(32),
  cipher: ownBytes,
  checkValue: ownBytes,
});
export type WrappedKey = Readonly<z.output<typeof wrappedKey>>;

/** The DEK that is on the card now, and for SCP02 the counter that its session key follows from. */
const under = z
  .discriminatedUnion('scp', [
    z.strictObject({ scp: z.literal('02'), dek: domainKey('dek'), sequenceCounter: bytes(2) }),
    z.strictObject({ scp: z.literal('03'), dek: domainKey('dek') }),
  ])
  .describe('the DEK on the card, for SCP02 with the counter');

const wrapping = z
  .strictObject({ card: statedCard, under, keys: keys.describe('the new ENC, MAC and DEK') })
  .refine((request) => haveOneOwner([request.under.dek, request.keys.dek]), { error: OF_TWO_OWNERS })
  .refine((request) => areIssuers(Object.values(request.keys)), { error: WRITES_FACTORY_KEY });
/** New keys for a security domain. */
export type DomainKeyWrap = z.output<typeof wrapping>;

const OTHER_ALGORITHM = "keys of another algorithm than the protocol's";
const TWO_DOMAINS = 'keys of two security domains';

export const channelOperations = {
  channelSessionKeys: {
    purpose: 'open a secure channel',
    request: z.strictObject({ card: statedCard, keys, context }),
    answer: sessionKeys,
    gives: 'session ENC, MAC and R-MAC; never the DEK',
    refuses: [TWO_DOMAINS, OTHER_ALGORITHM],
  },
  cryptogramKey: {
    purpose: 'see whether a card is there, by its cryptogram, where no channel is opened',
    request: z.strictObject({ card: statedCard, keys, context }),
    answer: z.strictObject({ key: ownBytes }),
    gives: "the session key of the cryptogram: SCP02's ENC, SCP03's MAC",
    refuses: [TWO_DOMAINS, OTHER_ALGORITHM],
  },
  foretellChannel: {
    purpose: 'the same for an SCP03 channel on a card with pseudo-random challenges, before it is opened',
    request: foretelling,
    answer: foretold,
    gives: 'the session keys, and the challenge that the card will give (Amendment D §6.2.2.1)',
    refuses: [TWO_DOMAINS, 'keys that are not AES'],
  },
  wrapDomainKeys: {
    purpose: 'new keys for a security domain, in one PUT KEY',
    request: wrapping,
    answer: z.array(wrappedKey).length(3),
    gives: 'ENC, MAC and DEK, enciphered under the DEK, with their check values',
    refuses: [
      TWO_DOMAINS,
      OTHER_ALGORITHM,
      "a master itself as a card's new key",
      "a manufacturer's keys as the new ones",
      'new keys that could also be written to another card than the one whose key they travel under',
    ],
  },
} satisfies Operations;
