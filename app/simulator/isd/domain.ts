/** The issuer security domain: secure messaging around its commands (GPC 2.3.1 §11). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import { endChannel, type Turn } from '../turn.ts';
import { externalAuthenticate, initializeUpdate } from './authenticate.ts';
import { deleteObject } from './delete.ts';
import { getData } from './get-data.ts';
import { getStatus } from './get-status.ts';
import { install } from './install.ts';
import { load } from './load.ts';
import { putKey } from './put-key.ts';
import { setStatus } from './set-status.ts';

/** INS of LOAD and GET STATUS, which go on over several commands. */
export const INS_LOAD = 0xe8;
export const INS_GET_STATUS = 0xf2;

/** Content management; every one needs an authenticated session. */
const MANAGEMENT = new Map<number, (turn: Turn, command: CommandApdu) => ResponseApdu>([
  [INS_GET_STATUS, getStatus],
  [0xe6, install],
  [INS_LOAD, load],
  [0xe4, deleteObject],
  [0xd8, putKey],
  [0xf0, setStatus],
]);

/** Answers one command to the domain. */
export function processDomain(turn: Turn, command: CommandApdu): ResponseApdu {
  const { volatile } = turn;
  const pending = volatile.pending;
  volatile.pending = undefined;
  if ((command.cla & ~0x84) !== 0)
    throw new Refusal((command.cla & ~0x87) === 0 ? SW.channelNotSupported : SW.wrongCla);
  if (command.ins === 0x50) {
    endChannel(volatile);
    return initializeUpdate(turn, command);
  }
  if (command.ins === 0x82) {
    endChannel(volatile);
    return externalAuthenticate(turn, command, pending);
  }
  const channel = volatile.channel;
  if (channel === undefined) {
    if ((command.cla & 0x04) !== 0) throw new Refusal(SW.securityStatus);
    return execute(turn, command);
  }
  let plain: CommandApdu;
  try {
    plain = channel.unwrap(command);
  } catch (error) {
    endChannel(volatile);
    throw error;
  }
  return channel.wrap(
    answered(() => execute(turn, plain)),
    plain,
  );
}

function execute(turn: Turn, command: CommandApdu): ResponseApdu {
  if (command.ins === 0xca) return getData(turn, command);
  const handler = MANAGEMENT.get(command.ins);
  if (handler === undefined) throw new Refusal(SW.unknownIns);
  if (command.cla !== 0x80) throw new Refusal(SW.wrongCla);
  if (turn.volatile.channel === undefined) throw new Refusal(SW.securityStatus);
  if (turn.image.domain.lifecycle === 0xff) throw new Refusal(SW.conditions);
  return handler(turn, command);
}

function answered(handler: () => ResponseApdu): ResponseApdu {
  try {
    return handler();
  } catch (error) {
    if (error instanceof Refusal) return { ...ok(), sw: error.sw };
    throw error;
  }
}
