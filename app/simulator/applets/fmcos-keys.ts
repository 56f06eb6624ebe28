/** The FMCOS key file: EXTERNAL AUTHENTICATE, WRITE KEY and the MACs made under its keys. */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, equalBytes, fromHex, toHex, wipe } from '../../card/bytes.ts';
import { desEcbDecrypt, desEcbEncrypt, desMac } from '../crypto.ts';
import type { FmcosState, KeySlot } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { FmcosTurn } from './fmcos-turn.ts';

/** External authentication: the master control key. */
const MASTER_CONTROL = { type: 0x39, id: 0x00 };
/** Added to a key's type when it may only be written encrypted and MACed. */
const PROTECTED = 0xc0;
const MAC_BYTES = 4;

function findSlot(state: FmcosState, { type, id }: { type: number; id: number }): KeySlot | undefined {
  return state.keys.find((slot) => slot.type === type && slot.id === id);
}

/** Right XY: Y ≤ security state ≤ X. */
function requireRight(right: number, state: number): void {
  if (state < (right & 0x0f) || state > right >> 4) throw new Refusal(SW.securityStatus);
}

/** A key ready for use. @throws Refusal 6A88 absent, 6283 damaged, 6983 no tries left, 6982 use right not met */
export function usableKey(turn: FmcosTurn, reference: { type: number; id: number }): KeySlot {
  const slot = findSlot(turn.state, reference);
  if (slot === undefined) throw new Refusal(SW.referenceNotFound);
  if (slot.damaged) throw new Refusal(SW.keyCheckError);
  if ((slot.counter & 0x0f) === 0) throw new Refusal(SW.blocked);
  requireRight(slot.useRight, turn.volatile.state);
  return slot;
}

/** 8 bytes out of a challenge of 4 (00000000 follows) or 8. @throws Refusal 6985 when none is outstanding */
export function challengeBlock(challenge: Uint8Array | undefined): Uint8Array {
  if (challenge === undefined) throw new Refusal(SW.conditions);
  const block = new Uint8Array(8);
  block.set(challenge);
  return block;
}

/**
 * Whether the last 4 bytes of the command data are its secure-messaging MAC: over CLA INS P1 P2 Lc, with Lc counting
 * the MAC, and the data before it.
 */
export function macIsRight(slot: KeySlot, initial: Uint8Array, command: CommandApdu): boolean {
  const data = command.data ?? new Uint8Array(0);
  const { cla, ins, p1, p2 } = command;
  const header = Uint8Array.of(cla, ins, p1, p2, data.length);
  const key = fromHex(slot.value);
  const mac = desMac(key, concat(header, data.slice(0, -MAC_BYTES)), initial).slice(0, MAC_BYTES);
  wipe(key);
  return equalBytes(mac, data.slice(-MAC_BYTES));
}

/** EXTERNAL AUTHENTICATE: the challenge under the key; a try is spent when it is wrong. */
export function externalAuthenticate(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  if (command.p1 !== 0) throw new Refusal(SW.wrongP1P2);
  const data = command.data;
  if (data === undefined || data.length !== 8) throw new Refusal(SW.wrongLength);
  const slot = usableKey(turn, { type: MASTER_CONTROL.type, id: command.p2 });
  const key = fromHex(slot.value);
  const expected = desEcbEncrypt(key, challengeBlock(turn.challenge));
  wipe(key);
  if (!equalBytes(expected, data)) {
    slot.counter -= 1;
    throw new Refusal(0x63c0 | (slot.counter & 0x0f));
  }
  slot.counter = (slot.counter & 0xf0) | (slot.counter >> 4);
  turn.volatile.state = slot.nextState & 0x0f;
  return ok();
}

/**
 * WRITE KEY, replace: P1 the key's type, P2 its id; encrypted and MACed under the master control key, or in clear where
 * the slot was written without protection. Adding keys is closed on a delivered card.
 */
export function writeKey(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  if (command.p1 === 0x01) throw new Refusal(SW.securityStatus);
  const slot = findSlot(turn.state, { type: command.p1, id: command.p2 });
  if (slot === undefined) throw new Refusal(SW.referenceNotFound);
  // A damaged record has no rights that could be trusted.
  if (slot.damaged) throw new Refusal(SW.keyCheckError);
  requireRight(slot.changeRight, turn.volatile.state);
  const clear = command.cla === 0x80;
  if (clear && (slot.inside & PROTECTED) === PROTECTED) throw new Refusal(SW.macMissing);
  const length = 5 + slot.value.length / 2;
  const record = clear ? plainRecord(command, length) : protectedRecord(turn, command, length);
  replace(turn, slot, record);
  wipe(record);
  return ok();
}

/** The length byte and the record in clear. */
function plainRecord(command: CommandApdu, length: number): Uint8Array {
  const data = command.data;
  if (data === undefined || data.length !== length + 1) throw new Refusal(SW.wrongLength);
  if (data[0] !== length) throw new Refusal(SW.keyCheckError);
  return data.slice(1);
}

/** The record out of ciphertext and MAC; padded 80 00… only where it does not fill its blocks. */
function protectedRecord(turn: FmcosTurn, command: CommandApdu, length: number): Uint8Array {
  const data = command.data;
  const cipherLength = Math.ceil((length + 1) / 8) * 8;
  if (data === undefined || data.length !== cipherLength + MAC_BYTES) throw new Refusal(SW.wrongLength);
  const master = findSlot(turn.state, MASTER_CONTROL);
  if (master === undefined) throw new Refusal(SW.referenceNotFound);
  if (master.damaged) throw new Refusal(SW.keyCheckError);
  if ((master.counter & 0x0f) === 0) throw new Refusal(SW.blocked);
  if (!macIsRight(master, challengeBlock(turn.challenge), command)) throw new Refusal(SW.macWrong);
  const key = fromHex(master.value);
  const plain = desEcbDecrypt(key, data.slice(0, cipherLength));
  wipe(key);
  const padding = plain.slice(length + 1);
  const padded = padding.every((byte, i) => byte === (i === 0 ? 0x80 : 0x00));
  if (plain[0] !== length || !padded) throw new Refusal(SW.keyCheckError);
  const record = plain.slice(1, length + 1);
  wipe(plain);
  return record;
}

/** Header and key are rewritten whole; the security state stays. */
function replace(turn: FmcosTurn, slot: KeySlot, record: Uint8Array): void {
  const [inside = 0, useRight = 0, changeRight = 0, nextState = 0, counter = 0] = record;
  if (inside !== slot.type && inside !== (slot.type | PROTECTED)) throw new Refusal(SW.wrongData);
  Object.assign(slot, { inside, useRight, changeRight, nextState, counter, value: toHex(record.slice(5)) });
  if (turn.state.keyWriteAtomic) return;
  const { type, id } = slot;
  turn.onTear((state) => {
    const torn = findSlot(state, { type, id });
    if (torn !== undefined) torn.damaged = true;
  });
}
