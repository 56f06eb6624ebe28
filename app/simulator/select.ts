/** SELECT by name (GPC 2.3.1 §6.4.2.1.2, §11.9, ISO/IEC 7816-4 §7.1.1). */
import type { CommandApdu, ResponseApdu } from '../card/apdu.ts';
import { fromHex, toHex } from '../card/bytes.ts';
import { writeTlv } from '../card/tlv.ts';
import type { CardImage } from './image.ts';
import { cardRecognition } from './isd/card-data.ts';
import { CARD_STATE, domainOf, finalApplication, isSelectable } from './registry.ts';
import { ok, Refusal, SW } from './status-words.ts';
import { endChannel, type Turn } from './turn.ts';

/** P2: first or only, next; bits 4 and 3 ask for a form of the answer. */
const NEXT = 0x02;
const FORM = 0x0c;

/** Whether `command` is a SELECT by name; other forms belong to the selected application. */
export function isSelectByName(command: CommandApdu): boolean {
  return command.ins === 0xa4 && command.p1 === 0x04 && (command.cla & 0x80) === 0;
}

/**
 * SELECT: no AID for the issuer's domain, a whole or partial one otherwise; P2 02 the next that fits. What was selected
 * stays selected when nothing fits; otherwise the channel ends and the application starts anew.
 */
export function select(turn: Turn, command: CommandApdu): ResponseApdu {
  const { image, volatile } = turn;
  if (command.cla !== 0x00)
    throw new Refusal((command.cla & ~0x03) === 0 ? SW.channelNotSupported : SW.wrongCla);
  const occurrence = command.p2 & ~FORM;
  if (occurrence !== 0 && occurrence !== NEXT) throw new Refusal(SW.wrongP1P2);
  const name = toHex(command.data ?? new Uint8Array(0));
  if (name.length > 32) throw new Refusal(SW.wrongLength);
  const aid = find(image, name, occurrence === NEXT ? volatile.selected : undefined);
  endChannel(volatile);
  volatile.selected = aid;
  volatile.fmcos = { state: 0 };
  const answer = domainOf(image, aid) === undefined ? appletAnswer(image, aid) : domainAnswer(image, aid);
  return (command.p2 & FORM) === FORM ? { ...answer, data: new Uint8Array(0) } : answer;
}

/** @throws Refusal 6A82 when nothing fits, 6A81 when the card's state forbids it */
function find(image: CardImage, name: string, after: string | undefined): string {
  const { aid: issuer, lifecycle } = image.domain;
  if (lifecycle === CARD_STATE.terminated) throw new Refusal(SW.functionNotSupported);
  if (lifecycle === CARD_STATE.locked) {
    const final = finalApplication(image);
    if (name === '' || !final.startsWith(name)) {
      if (name === '' && final === issuer) return final;
      throw new Refusal(SW.functionNotSupported);
    }
    return final;
  }
  if (name === '') return issuer;
  const all = [issuer, ...image.instances.filter(isSelectable).map((app) => app.aid)];
  const start = after === undefined ? 0 : all.indexOf(after) + 1;
  const found = all.slice(start).find((aid) => aid.startsWith(name));
  if (found === undefined) throw new Refusal(SW.notFound);
  return found;
}

/** Table 11-82: the domain's AID, its recognition data and the longest command data. */
function domainAnswer(image: CardImage, aid: string): ResponseApdu {
  const domain = domainOf(image, aid);
  const maximum = writeTlv(0x9f65, Uint8Array.of(0xff));
  const recognition =
    domain === undefined ? new Uint8Array(0) : cardRecognition(image, domain.state.protocol);
  const data = writeTlv(0x6f, writeTlv(0x84, fromHex(aid)), writeTlv(0xa5, recognition, maximum));
  return { data, sw: image.domain.lifecycle === CARD_STATE.locked ? SW.cardLocked : SW.ok };
}

function appletAnswer(image: CardImage, aid: string): ResponseApdu {
  const app = image.instances.find((instance) => instance.aid === aid);
  return app?.applet.kind === 'fmcos'
    ? ok(writeTlv(0x6f, writeTlv(0x84, fromHex(aid)), writeTlv(0xa5, new Uint8Array(0))))
    : ok();
}
