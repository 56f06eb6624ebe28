/** A security domain, the issuer's or a supplementary one: secure messaging around its commands (GPC 2.3.1 §10, §11). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { CARD_STATE, type SecurityDomain } from '../registry.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import { endChannel, type Turn } from '../turn.ts';
import { externalAuthenticate, initializeUpdate } from './authenticate.ts';
import { isBefore22 } from './before-22.ts';
import { collectChain } from './chaining.ts';
import { deleteObject } from './delete.ts';
import { getData, getDataOdd } from './get-data.ts';
import { getStatus } from './get-status.ts';
import { install } from './install.ts';
import { load } from './load.ts';
import { putKey } from './put-key.ts';
import { setStatus } from './set-status.ts';
import { storeData } from './store-data.ts';

/** INS of LOAD and GET STATUS, which go on over several commands. */
export const INS_LOAD = 0xe8;
export const INS_GET_STATUS = 0xf2;
const INS_GET_DATA = 0xca;
/** The form of class 00 for what is kept as a file: the list of applications (§11.3.2). */
const INS_GET_DATA_ODD = 0xcb;
const INS_SELECT = 0xa4;
const INS_SET_STATUS = 0xf0;
const INS_PUT_KEY = 0xd8;
const INS_INITIALIZE_UPDATE = 0x50;
const INS_EXTERNAL_AUTHENTICATE = 0x82;

type Handler = (turn: Turn, domain: SecurityDomain, command: CommandApdu) => ResponseApdu;

/** Management; every one needs an authenticated session (table 11-2). */
const MANAGEMENT = new Map<number, Handler>([
  [INS_GET_STATUS, getStatus],
  [0xe6, install],
  [INS_LOAD, load],
  [0xe4, deleteObject],
  [INS_PUT_KEY, putKey],
  [INS_SET_STATUS, setStatus],
  [0xe2, storeData],
]);

/** What a locked card still does: no change of content, keys or data (§5.1.1.4, table 11-1). */
const WHEN_CARD_LOCKED: readonly number[] = [
  INS_GET_DATA,
  INS_GET_DATA_ODD,
  INS_GET_STATUS,
  INS_SET_STATUS,
  INS_INITIALIZE_UPDATE,
  INS_EXTERNAL_AUTHENTICATE,
];

/** Answers one command to the selected domain. */
export function processDomain(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  const { volatile } = turn;
  const pending = volatile.pending;
  volatile.pending = undefined;
  if ((command.cla & ~0x84) !== 0)
    throw new Refusal((command.cla & ~0x87) === 0 ? SW.channelNotSupported : SW.wrongCla);
  requireState(turn, domain, command.ins);
  if (command.ins === INS_INITIALIZE_UPDATE) {
    endChannel(volatile);
    return initializeUpdate(turn, domain, command);
  }
  if (command.ins === INS_EXTERNAL_AUTHENTICATE) {
    endChannel(volatile);
    return externalAuthenticate(turn, command, pending);
  }
  if (volatile.aborted) throw new Refusal(SW.securityStatus);
  // In chains came with 2.2 for all but PUT KEY; before, the bit that says "more" is a wrong parameter.
  const whole =
    command.ins !== INS_PUT_KEY && isBefore22(turn.image) ? command : collectChain(volatile, command);
  if (whole === undefined) return ok();
  const channel = volatile.channel;
  if (channel === undefined) {
    if ((whole.cla & 0x04) !== 0) throw new Refusal(SW.securityStatus);
    return execute(turn, domain, whole);
  }
  let plain: CommandApdu;
  try {
    plain = channel.unwrap(whole);
  } catch (error) {
    endChannel(volatile);
    volatile.aborted = true;
    throw error;
  }
  return channel.wrap(
    answered(() => execute(turn, domain, plain)),
    plain,
  );
}

/** @throws Refusal 6985 when the card's or the domain's life cycle forbids the command */
function requireState({ image }: Turn, domain: SecurityDomain, ins: number): void {
  const { lifecycle } = image.domain;
  if (lifecycle === CARD_STATE.terminated && ins !== INS_GET_DATA && ins !== INS_GET_DATA_ODD)
    throw new Refusal(SW.conditions);
  if (lifecycle === CARD_STATE.locked && !WHEN_CARD_LOCKED.includes(ins)) throw new Refusal(SW.conditions);
  // A locked domain rejects everything (§5.3.2.4).
  if (((domain.entry?.lifecycle ?? 0) & 0x80) !== 0) throw new Refusal(SW.conditions);
}

function execute(turn: Turn, domain: SecurityDomain, command: CommandApdu): ResponseApdu {
  if (command.ins === INS_GET_DATA) return getData(turn, domain, command);
  if (command.ins === INS_GET_DATA_ODD && command.cla === 0x00 && !isBefore22(turn.image))
    return getDataOdd(turn, domain, command);
  // SELECT by name was answered before it got here (select.ts); any other form of SELECT is refused (§11.9.2.1).
  if (command.ins === INS_SELECT && command.cla === 0x00) throw new Refusal(SW.wrongP1P2);
  const handler = MANAGEMENT.get(command.ins);
  if (handler === undefined) throw new Refusal(SW.unknownIns);
  if (command.cla !== 0x80) throw new Refusal(SW.wrongCla);
  if (turn.volatile.channel === undefined) throw new Refusal(SW.securityStatus);
  return handler(turn, domain, command);
}

function answered(handler: () => ResponseApdu): ResponseApdu {
  try {
    return handler();
  } catch (error) {
    if (error instanceof Refusal) return { ...ok(), sw: error.sw };
    throw error;
  }
}
