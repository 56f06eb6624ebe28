/** Key operations of the FMCOS dialect (app/dialects/fmcos/, docs/cards/demo-card.md; PBOC 2.0). Each takes one 4-byte challenge. */
import { z } from 'zod';
import { FMCOS_ROLES } from '../../../dialects/fmcos/roles.ts';
import { bytes, ownBytes } from '../bytes-schema.ts';
import { cardKey, haveOneOwner, keyRole, OF_TWO_OWNERS } from '../keys.ts';
import type { Operations } from '../operation.ts';

const { masterControl, maintenance } = FMCOS_ROLES;
/** P1 of WRITE KEY: the type of the key that is written. */
const ROLE_OF_P1 = new Map([
  [0x39, masterControl],
  [0x36, maintenance],
]);
/** Without these bits in a key's type the card would take later writes of it in clear. */
const PROTECTED = 0xc0;
const MAC_LENGTH = 4;

const byte = z.int().min(0).max(0xff);
/** Only 4-byte challenges: with 8 bytes of a station's choice EXTERNAL AUTHENTICATE would be an encryption oracle. */
const challenge = bytes(4).describe('4 bytes');
const masterControlKey = cardKey(masterControl);

/** The fields of a key record that precede the key; see docs/cards/demo-card.md. */
const header = z
  .strictObject({
    typeInside: byte,
    useRight: byte,
    changeRight: byte,
    nextState: byte,
    counter: byte,
  })
  .describe('the record’s fields before the key');

/** UPDATE BINARY with secure messaging: 04 D6 P1 P2 Lc data, where Lc counts the MAC too. */
function isUpdateBinary(message: Uint8Array): boolean {
  const [cla, ins, , , lc] = message;
  return cla === 0x04 && ins === 0xd6 && lc === message.length - 5 + MAC_LENGTH;
}

const keyWrite = z
  .strictObject({
    under: masterControlKey.describe('the key 39/00 that is on the card now'),
    newKey: cardKey(masterControl, maintenance).describe('the key to write'),
    p1: byte.refine((p1) => ROLE_OF_P1.has(p1), { error: 'only keys 39 and 36 are written' }),
    keyId: byte,
    header,
    challenge,
  })
  .refine(({ p1, newKey }) => ROLE_OF_P1.get(p1) === keyRole(newKey.master).role, {
    error: 'the key is not for this slot',
  })
  .refine(({ under, newKey }) => haveOneOwner([under, newKey]), { error: OF_TWO_OWNERS })
  .refine(({ p1, header: { typeInside } }) => typeInside === (p1 | PROTECTED), {
    error: 'the key slot must stay protected (type inside F9 or F6)',
  });

/** What a WRITE KEY is made from, checked. */
export type FmcosKeyWrite = z.output<typeof keyWrite>;

export const fmcosOperations = {
  fmcosCryptogram: {
    purpose: 'FMCOS EXTERNAL AUTHENTICATE',
    request: z.strictObject({ key: masterControlKey, challenge }),
    answer: ownBytes,
    gives: 'challenge ‖ 00000000 enciphered, 8 bytes',
    refuses: [
      'challenges of another length: with 8 bytes of a station’s choice this would encipher anything',
    ],
  },
  fmcosMac: {
    purpose: 'FMCOS secure messaging',
    request: z.strictObject({
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
      'a key of another role than the slot’s, or of another application',
      'a record without the protecting C0',
    ],
  },
} satisfies Operations;
