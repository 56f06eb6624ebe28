/** Receipts: how the card proves to the issuer what a domain with delegated management did (GPC 2.3.1 §9.1.3.3, §11.1.6, §C.5). */
import { concat, fromHex } from '../../card/bytes.ts';
import { lengthBytes } from '../../card/tlv.ts';
import type { CardImage } from '../image.ts';
import { PRIVILEGE, type SecurityDomain } from '../registry.ts';
import { ISSUER_NUMBER } from './card-data.ts';
import { macOf, SIGNATURE_KEY } from './signature.ts';

/** A receipt of length 0: there is none. */
export const RECEIPT_ABSENT: Uint8Array = Uint8Array.of(0x00);

/** The confirmation counter has 2 bytes. A card that has used it up makes no more receipts, or two would be the same. */
const COUNTER_END = 0xffff;

/**
 * The data of an answer: the receipt with its length, and what it confirms beside `aids` (counter, issuer and card number). None for a domain
 * that needs no token, and none while the issuer's domain has no receipt key (version 71). The counter goes up with each receipt, and the new value
 * stands in it.
 * @param aids what was done, as each kind of receipt has it: tables C-6 to C-9
 */
export function receiptOf(image: CardImage, domain: SecurityDomain, ...aids: readonly string[]): Uint8Array {
  const key = image.domain.keySets.find(({ version }) => version === SIGNATURE_KEY.receipt)?.keys[0];
  const isDelegated = (domain.privileges & PRIVILEGE.delegatedManagement) !== 0;
  if (!isDelegated || key === undefined || image.domain.confirmations >= COUNTER_END) return RECEIPT_ABSENT;
  image.domain.confirmations += 1;
  const confirmation = concat(
    counted(confirmationCounter(image)),
    counted(concat(fromHex(ISSUER_NUMBER), fromHex(image.identificationCode))),
  );
  const mac = macOf(key, concat(confirmation, ...aids.map((aid) => counted(fromHex(aid)))));
  return concat(lengthBytes(mac.length), mac, confirmation);
}

/** How many receipts the card has made, 2 bytes; also what GET DATA 00C2 gives. */
export function confirmationCounter({ domain }: CardImage): Uint8Array {
  return Uint8Array.of(domain.confirmations >> 8, domain.confirmations & 0xff);
}

function counted(value: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(value.length), value);
}
