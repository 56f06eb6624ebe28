/** SELECT by name (GPC 2.3.1 §11.9, ISO/IEC 7816-4 §7.1.1). */
import type { CommandApdu, ResponseApdu } from '../card/apdu.ts';
import { fromHex, toHex } from '../card/bytes.ts';
import { writeTlv } from '../card/tlv.ts';
import type { CardImage } from './image.ts';
import { cardRecognition } from './isd/get-data.ts';
import { ok, Refusal, SW } from './status-words.ts';
import { endChannel, type Turn } from './turn.ts';

/** Whether `command` is a SELECT by name; other forms belong to the selected application. */
export function isSelectByName(command: CommandApdu): boolean {
  return command.ins === 0xa4 && command.p1 === 0x04 && (command.cla & 0x80) === 0;
}

/**
 * SELECT: no AID for the domain, a whole or partial one otherwise; P2 02 the next that fits. What was selected stays
 * selected when nothing fits; otherwise the channel ends and the application starts anew.
 */
export function select(turn: Turn, command: CommandApdu): ResponseApdu {
  const { image, volatile } = turn;
  if (command.cla !== 0x00)
    throw new Refusal((command.cla & ~0x03) === 0 ? SW.channelNotSupported : SW.wrongCla);
  if (command.p2 !== 0x00 && command.p2 !== 0x02) throw new Refusal(SW.wrongP1P2);
  const name = toHex(command.data ?? new Uint8Array(0));
  if (name.length > 32) throw new Refusal(SW.wrongLength);
  const aid = find(image, name, command.p2 === 0x02 ? volatile.selected : undefined);
  if (aid === undefined) throw new Refusal(SW.notFound);
  endChannel(volatile);
  volatile.selected = aid;
  volatile.fmcos = { state: 0 };
  return aid === image.domain.aid ? domainAnswer(image) : appletAnswer(image, aid);
}

function find(image: CardImage, name: string, after: string | undefined): string | undefined {
  const { aid: domain, lifecycle } = image.domain;
  if (lifecycle === 0xff) return undefined;
  if (name === '') return after === undefined ? domain : undefined;
  // A locked card leaves its domain only (§5.1.1.5); locked applications cannot be selected (§5.3.1.3).
  const apps =
    lifecycle === 0x7f ? [] : image.instances.filter((app) => app.lifecycle >= 7 && app.lifecycle < 0x80);
  const all = [domain, ...apps.map((app) => app.aid)];
  const start = after === undefined ? 0 : all.indexOf(after) + 1;
  return all.slice(start).find((aid) => aid.startsWith(name));
}

/** Table 11-81: the domain's AID, its recognition data and the longest command data. */
function domainAnswer(image: CardImage): ResponseApdu {
  const maximum = writeTlv(0x9f65, Uint8Array.of(0xff));
  const proprietary = writeTlv(0xa5, cardRecognition(image), maximum);
  const data = writeTlv(0x6f, writeTlv(0x84, fromHex(image.domain.aid)), proprietary);
  return { data, sw: image.domain.lifecycle === 0x7f ? SW.cardLocked : SW.ok };
}

function appletAnswer(image: CardImage, aid: string): ResponseApdu {
  const app = image.instances.find((instance) => instance.aid === aid);
  return app?.applet.kind === 'fmcos'
    ? ok(writeTlv(0x6f, writeTlv(0x84, fromHex(aid)), writeTlv(0xa5, new Uint8Array(0))))
    : ok();
}
