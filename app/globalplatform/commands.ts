/** SELECT, DELETE and SET STATUS as values (GPC 2.3.1 §11), before a secure channel protects them. */
import { type Aid, aidBytes } from '../card/aid.ts';
import type { CommandApdu } from '../card/apdu.ts';
import { concat } from '../card/bytes.ts';
import { writeTlv } from '../card/tlv.ts';

/** SELECT by AID, first occurrence; without an AID the issuer security domain (GPC 2.3.1 §11.9). */
export function select(aid?: Aid): CommandApdu {
  const header = { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, le: 256 };
  return aid === undefined ? header : { ...header, data: aidBytes(aid) };
}

/**
 * DELETE of an instance or of a load file (GPC 2.3.1 §11.2). `related`: also the instances made from the load file (P2 = 80).
 */
export function deleteObject(aid: Aid, related: boolean): CommandApdu {
  return deletion(related ? 0x80 : 0x00, writeTlv(0x4f, aidBytes(aid)));
}

/**
 * DELETE [key] (GPC 2.3.1 §11.2.2.3.2): every key of one version, every key with one identifier, or the one key that has both.
 * @throws RangeError when nothing is named, or a number is none of a key.
 */
export function deleteKeys(keys: { readonly keyVersion?: number; readonly keyId?: number }): CommandApdu {
  const { keyVersion, keyId } = keys;
  if (keyVersion === undefined && keyId === undefined) throw new RangeError('DELETE of no key');
  const named = (tag: number, value: number | undefined, most: number) => {
    if (value === undefined) return new Uint8Array(0);
    if (!Number.isInteger(value) || value < 0 || value > most) throw new RangeError('not a number of a key');
    return writeTlv(tag, Uint8Array.of(value));
  };
  return deletion(0x00, concat(named(0xd0, keyId, 0x7f), named(0xd2, keyVersion, 0xff)));
}

function deletion(p2: number, data: Uint8Array): CommandApdu {
  return { cla: 0x80, ins: 0xe4, p1: 0x00, p2, data, le: 256 };
}

/** Lifecycle states of the card, which are those of its issuer security domain (GPC 2.3.1 table 11-6). */
export const CARD_STATES = {
  opReady: 0x01,
  initialized: 0x07,
  secured: 0x0f,
  cardLocked: 0x7f,
  terminated: 0xff,
} as const;

/** Whose state SET STATUS changes: the card's, one application's or security domain's, or that of a domain and all it owns. */
type StatusTarget =
  | { readonly kind: 'card' }
  | { readonly kind: 'application'; readonly aid: Aid }
  | { readonly kind: 'security-domain-and-applications'; readonly aid: Aid };

/**
 * SET STATUS (GPC 2.3.1 §11.10). `state`: one of `CARD_STATES` for the card; 80 locks and 00 unlocks an application.
 * @throws RangeError when the state is no byte.
 */
export function setStatus(target: StatusTarget, state: number): CommandApdu {
  if (!Number.isInteger(state) || state < 0 || state > 0xff) throw new RangeError('state outside 0..255');
  const command = { cla: 0x80, ins: 0xf0, p2: state };
  switch (target.kind) {
    case 'card':
      return { ...command, p1: 0x80 };
    case 'application':
      return { ...command, p1: 0x40, data: aidBytes(target.aid) };
    case 'security-domain-and-applications':
      return { ...command, p1: 0x60, data: aidBytes(target.aid) };
  }
}
