/** SET STATUS (GPC 2.3.1 §9.6, §11.10). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import type { CardImage, Instance } from '../image.ts';
import {
  CARD_STATE,
  isBelow,
  PERSONALIZED,
  PRIVILEGE,
  privilegesOf,
  type SecurityDomain,
} from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { requireSince22 } from './before-22.ts';
import { CARD_TRANSITIONS } from './content.ts';
import { readAid } from './fields.ts';

const LOCKED = 0x80;

/** SET STATUS: P1 80 the card, 40 an application or domain, 60 a domain and everything below it. */
export function setStatus(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const { image } = turn;
  switch (command.p1) {
    case 0x80:
      setCardStatus(image, domain, command.p2);
      return ok();
    case 0x40:
      break;
    case 0x60:
      requireSince22(image, SW.wrongP1P2);
      break;
    default:
      throw new Refusal(SW.wrongP1P2);
  }
  // Of a locked card nothing changes but its own state.
  if (image.domain.lifecycle === CARD_STATE.locked) throw new Refusal(SW.conditions);
  if (command.data === undefined) throw new Refusal(SW.wrongLength);
  const aid = readAid(command.data);
  const target = image.instances.find((known) => known.aid === aid);
  if (target === undefined) throw new Refusal(SW.referenceNotFound);
  if (command.p1 === 0x60) setWithApplications(image, domain, target, command.p2);
  else if (aid === domain.aid) setOwn(target, command.p2);
  else setLocked(image, domain, target, command.p2);
  return ok();
}

function setCardStatus({ domain: issuer }: CardImage, domain: SecurityDomain, wanted: number): void {
  if (!CARD_TRANSITIONS.get(issuer.lifecycle)?.includes(wanted)) throw new Refusal(SW.wrongData);
  const isLock = wanted === CARD_STATE.locked || issuer.lifecycle === CARD_STATE.locked;
  const may =
    wanted === CARD_STATE.terminated
      ? (domain.privileges & PRIVILEGE.cardTerminate) !== 0
      : isLock
        ? (domain.privileges & PRIVILEGE.cardLock) !== 0
        : domain.isIssuer;
  if (!may) throw new Refusal(SW.conditions);
  issuer.lifecycle = wanted;
}

/** A domain may call itself personalised, or lock itself. */
function setOwn(own: Instance, wanted: number): void {
  const lock = (wanted & LOCKED) !== 0;
  if (!lock && (wanted !== PERSONALIZED || own.lifecycle >= PERSONALIZED)) throw new Refusal(SW.wrongData);
  own.lifecycle = lock ? own.lifecycle | LOCKED : PERSONALIZED;
}

/** Only the first bit counts; a state that is so already is refused. */
function setLocked(image: CardImage, domain: SecurityDomain, target: Instance, wanted: number): void {
  requireResponsibility(image, domain, target);
  if ((target.lifecycle & LOCKED) === (wanted & LOCKED)) throw new Refusal(SW.wrongData);
  target.lifecycle ^= LOCKED;
}

/** Those that are locked, or unlocked, already stay so. */
function setWithApplications(
  image: CardImage,
  domain: SecurityDomain,
  target: Instance,
  wanted: number,
): void {
  requireResponsibility(image, domain, target);
  if (target.applet.kind !== 'domain') throw new Refusal(SW.wrongData);
  for (const entry of image.instances) {
    if (entry !== target && !isBelow(image, entry, target.aid)) continue;
    entry.lifecycle = (entry.lifecycle & ~LOCKED) | (wanted & LOCKED);
  }
}

function requireResponsibility(image: CardImage, domain: SecurityDomain, target: Instance): void {
  const global = (domain.privileges & PRIVILEGE.globalLock) !== 0;
  if (!global && !isBelow(image, target, domain.aid)) throw new Refusal(SW.conditions);
  // On a locked card only the final application can be selected (§9.6.2): were it locked as well, nothing could be.
  if ((privilegesOf(target) & PRIVILEGE.finalApplication) !== 0) throw new Refusal(SW.conditions);
}
