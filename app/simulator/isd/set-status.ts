/** SET STATUS (GPC 2.3.1 §11.10). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { readAid } from './fields.ts';

/** Card life cycle (figure 5-1): from, to. */
const CARD_TRANSITIONS = new Map<number, readonly number[]>([
  [0x01, [0x07, 0x0f, 0xff]],
  [0x07, [0x0f, 0xff]],
  [0x0f, [0x7f, 0xff]],
  [0x7f, [0x0f, 0xff]],
]);

/** SET STATUS: P1 80 the card, P1 40 locks (P2 80) or unlocks (P2 00) one application. */
export function setStatus(turn: Turn, command: CommandApdu): ResponseApdu {
  const { domain, instances } = turn.image;
  if (command.p1 === 0x80) {
    if (!CARD_TRANSITIONS.get(domain.lifecycle)?.includes(command.p2)) throw new Refusal(SW.wrongData);
    domain.lifecycle = command.p2;
    return ok();
  }
  if (command.p1 !== 0x40) throw new Refusal(SW.wrongP1P2);
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  const aid = readAid(command.data);
  const instance = instances.find((known) => known.aid === aid);
  if (instance === undefined) throw new Refusal(SW.referenceNotFound);
  instance.lifecycle = (command.p2 & 0x80) !== 0 ? instance.lifecycle | 0x80 : instance.lifecycle & 0x7f;
  return ok();
}
