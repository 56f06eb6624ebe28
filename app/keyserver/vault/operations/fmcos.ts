/** Key operations of the FMCOS dialect (app/dialects/fmcos/, docs/cards/demo-card.md; PBOC 2.0). Each takes one 4-byte challenge. */
import { z } from 'zod';
import { FMCOS_ROLES } from '../../../dialects/fmcos/roles.ts';
import { bytes, ownBytes } from '../bytes-schema.ts';
import { areIssuers, cardKey, haveOneOwner, OF_TWO_OWNERS, statedCard, WRITES_FACTORY_KEY } from '../keys.ts';
import type { Operations } from '../operation.ts';

const { masterControl, maintenance } = FMCOS_ROLES;
const MAC_LENGTH = 4;

const byte = z.int().min(0).max(0xff);
/** Only 4-byte challenges: with 8 bytes of a station's choice EXTERNAL AUTHENTICATE would be an encryption oracle. */
const challenge = bytes(4).describe('4 bytes');
const masterControlKey = cardKey(masterControl);

/** UPDATE BINARY with secure messaging: 04 D6 P1 P2 Lc data, where Lc counts the MAC too. */
function isUpdateBinary(message: Uint8Array): boolean {
  const [cla, ins, , , lc] = message;
  return cla === 0x04 && ins === 0xd6 && lc === message.length - 5 + MAC_LENGTH;
}

/**
 * A key record for one slot. `typeInside` is the slot's number with C0 set: without these bits the card would take later writes of
 * the key in clear. The other fields come from the card-type profile; see docs/cards/demo-card.md.
 */
function slot<P1 extends number>(p1: P1, role: string) {
  return z.strictObject({
    card: statedCard,
    under: masterControlKey.describe('the key 39/00 that is on the card now'),
    newKey: cardKey(role).describe('the key to write'),
    p1: z.literal(p1).describe('the slot, 39 or 36'),
    keyId: byte,
    header: z
      .strictObject({
        typeInside: z.literal(p1 | 0xc0),
        useRight: byte,
        changeRight: byte,
        nextState: byte,
        counter: byte,
      })
      .describe("the record's fields before the key, as the new key's master was made for"),
    challenge,
  });
}

const keyWrite = z
  .discriminatedUnion('p1', [slot(0x39, masterControl), slot(0x36, maintenance)])
  .refine(({ under, newKey }) => haveOneOwner([under, newKey]), { error: OF_TWO_OWNERS })
  .refine(({ newKey }) => areIssuers([newKey]), { error: WRITES_FACTORY_KEY });

/** What a WRITE KEY is made from, checked. */
export type FmcosKeyWrite = z.output<typeof keyWrite>;

export const fmcosOperations = {
  fmcosCryptogram: {
    purpose: 'FMCOS EXTERNAL AUTHENTICATE',
    request: z.strictObject({ card: statedCard, key: masterControlKey, challenge }),
    answer: ownBytes,
    gives: 'challenge ‖ 00000000 enciphered, 8 bytes',
    refuses: [
      "challenges of another length: with 8 bytes of a station's choice this would encipher anything",
    ],
  },
  fmcosMac: {
    purpose: 'FMCOS secure messaging',
    request: z.strictObject({
      card: statedCard,
      key: cardKey(maintenance),
      challenge,
      message: bytes(6, 260)
        .refine(isUpdateBinary, { error: 'only UPDATE BINARY with MAC, 04 D6, is signed' })
        .describe('an UPDATE BINARY, 04 D6 P1 P2 Lc data'),
    }),
    answer: ownBytes,
    gives: 'the MAC, 4 bytes',
    refuses: ['any other command'],
  },
  fmcosKeyWrite: {
    purpose: 'FMCOS WRITE KEY (replace)',
    request: keyWrite,
    answer: ownBytes,
    gives: 'the data field: 24 bytes enciphered and 4 bytes MAC, both under the key on the card',
    refuses: [
      'slots other than 39 and 36',
      "a key of another role than the slot's, or of another application",
      'a record without the protecting C0, or with other fields than the master was made for',
      "a manufacturer's key as the new one",
      'a new key that could also be written to another card than the one whose key it travels under',
    ],
  },
} satisfies Operations;
