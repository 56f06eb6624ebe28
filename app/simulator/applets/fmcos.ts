/**
 * An application in the FMCOS dialect, as the data sheet describes it. Knows nothing of GlobalPlatform, so that a native
 * FMCOS card can run it too.
 */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { fromHex } from '../../card/bytes.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import { readBinary, updateBinary } from './fmcos-files.ts';
import { externalAuthenticate, writeKey } from './fmcos-keys.ts';
import type { FmcosTurn } from './fmcos-turn.ts';

type Handler = (turn: FmcosTurn, command: CommandApdu) => ResponseApdu;

/** INS: the classes it comes in, and what answers it. */
const COMMANDS = new Map<number, { readonly classes: readonly number[]; readonly handler: Handler }>([
  [0x84, { classes: [0x00], handler: getChallenge }],
  [0x82, { classes: [0x00], handler: externalAuthenticate }],
  [0xd4, { classes: [0x80, 0x84], handler: writeKey }],
  [0xb0, { classes: [0x00], handler: readBinary }],
  [0xd6, { classes: [0x00, 0x04], handler: updateBinary }],
  [0x5c, { classes: [0x80], handler: getBalance }],
]);

/** Answers one command. A challenge is good for this command only. @throws Refusal */
export function processFmcos(turn: Omit<FmcosTurn, 'challenge'>, command: CommandApdu): ResponseApdu {
  const { challenge } = turn.volatile;
  turn.volatile.challenge = undefined;
  if (turn.state.locked) throw new Refusal(SW.applicationLocked);
  if ((command.cla & ~0x84) !== 0) throw new Refusal(SW.wrongCla);
  const entry = COMMANDS.get(command.ins);
  if (entry === undefined) throw new Refusal(SW.unknownIns);
  if (!entry.classes.includes(command.cla)) throw new Refusal(SW.wrongCla);
  return entry.handler({ ...turn, challenge }, command);
}

/** GET CHALLENGE: 4 or 8 bytes. */
function getChallenge(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  if (command.p1 !== 0 || command.p2 !== 0) throw new Refusal(SW.wrongP1P2);
  if (command.data !== undefined || (command.le !== 4 && command.le !== 8)) throw new Refusal(SW.wrongLength);
  const challenge = turn.random(command.le);
  turn.volatile.challenge = challenge;
  return ok(challenge.slice());
}

/** GET BALANCE of a purse: cents, 4 bytes. */
function getBalance(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  const { balance } = turn.state;
  if (balance === undefined) throw new Refusal(SW.unknownIns);
  if (command.p1 !== 0x00 || command.p2 !== 0x02) throw new Refusal(SW.wrongP1P2);
  if (command.data !== undefined || (command.le !== 4 && command.le !== 256))
    throw new Refusal(SW.wrongLength);
  return ok(fromHex(balance.toString(16).padStart(8, '0')));
}
