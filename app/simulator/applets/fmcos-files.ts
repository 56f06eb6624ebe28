/** FMCOS binary files by short file id: READ BINARY free, UPDATE BINARY with MAC. */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { fromHex, toHex } from '../../card/bytes.ts';
import type { BinaryFile } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import { challengeBlock, macIsRight, usableKey } from './fmcos-keys.ts';
import type { FmcosTurn } from './fmcos-turn.ts';

/** Wrong MACs in a row that lock the application for good. */
const MAC_FAILURE_LIMIT = 3;

/** The file P1 names: bits 8 to 6 100, then the short file id. */
function fileOf(turn: FmcosTurn, p1: number): BinaryFile {
  if ((p1 & 0x80) === 0) throw new Refusal(SW.noCurrentFile);
  if ((p1 & 0x60) !== 0) throw new Refusal(SW.wrongP1P2);
  const file = turn.state.files.find(({ shortId }) => shortId === (p1 & 0x1f));
  if (file === undefined) throw new Refusal(SW.notFound);
  return file;
}

/** READ BINARY: P2 the offset, Le the length, 00 to the end. */
export function readBinary(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  const file = fromHex(fileOf(turn, command.p1).data);
  if (command.data !== undefined || command.le === undefined) throw new Refusal(SW.wrongLength);
  const left = file.length - command.p2;
  if (left <= 0) throw new Refusal(SW.wrongOffset);
  const length = command.le === 256 ? left : command.le;
  if (length > left) throw new Refusal(0x6c00 | left);
  return ok(file.slice(command.p2, command.p2 + length));
}

/** UPDATE BINARY: data and MAC under the file's key; the write is atomic. */
export function updateBinary(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  const file = fileOf(turn, command.p1);
  if (command.cla === 0x00) throw new Refusal(SW.macMissing);
  const data = command.data;
  if (data === undefined || data.length < 5) throw new Refusal(SW.wrongLength);
  const content = fromHex(file.data);
  const written = data.slice(0, -4);
  if (command.p2 + written.length > content.length) throw new Refusal(SW.wrongOffset);
  const key = usableKey(turn, file.writeKey);
  if (!macIsRight(key, challengeBlock(turn.challenge), command)) {
    file.macFailures += 1;
    if (file.macFailures >= MAC_FAILURE_LIMIT) turn.state.locked = true;
    throw new Refusal(SW.fileMacWrong);
  }
  file.macFailures = 0;
  content.set(written, command.p2);
  file.data = toHex(content);
  return ok();
}
