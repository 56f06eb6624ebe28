/** FMCOS binary files by short file id: READ BINARY free, UPDATE BINARY with MAC. */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { fromHex, toHex } from '../../card/bytes.ts';
import type { BinaryFile } from '../image.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import { challengeBlock, macIsRight, usableKey } from './fmcos-keys.ts';
import type { FmcosTurn } from './fmcos-turn.ts';

/** Wrong MACs in a row that lock the application for good. */
const MAC_FAILURE_LIMIT = 3;

/** The file P1 names, bits 8 to 6 100 and the short file id, or else the one selected; and where in it. */
function placeOf(turn: FmcosTurn, { p1, p2 }: CommandApdu): { file: BinaryFile; offset: number } {
  const isNamed = (p1 & 0x80) !== 0;
  if (isNamed && (p1 & 0x60) !== 0) throw new Refusal(SW.wrongP1P2);
  const shortId = isNamed ? p1 & 0x1f : turn.volatile.file;
  if (shortId === undefined) throw new Refusal(SW.noCurrentFile);
  const file = turn.state.files.find((known) => known.shortId === shortId);
  if (file === undefined) throw new Refusal(SW.notFound);
  return { file, offset: isNamed ? p2 : (p1 << 8) | p2 };
}

/** READ BINARY: Le the length, 00 to the end. */
export function readBinary(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  const { file, offset } = placeOf(turn, command);
  const content = fromHex(file.data);
  if (command.data !== undefined || command.le === undefined) throw new Refusal(SW.wrongLength);
  const left = content.length - offset;
  if (left <= 0) throw new Refusal(SW.wrongOffset);
  const length = command.le === 256 ? left : command.le;
  if (length > left) throw new Refusal(0x6c00 | left);
  return ok(content.slice(offset, offset + length));
}

/** UPDATE BINARY: data and MAC under the file's key; the write is atomic. */
export function updateBinary(turn: FmcosTurn, command: CommandApdu): ResponseApdu {
  const { file, offset } = placeOf(turn, command);
  if (command.cla === 0x00) throw new Refusal(SW.macMissing);
  const data = command.data;
  if (data === undefined || data.length < 5) throw new Refusal(SW.wrongLength);
  const content = fromHex(file.data);
  const written = data.slice(0, -4);
  if (offset + written.length > content.length) throw new Refusal(SW.wrongOffset);
  const key = usableKey(turn, file.writeKey);
  if (!macIsRight(key, challengeBlock(turn.challenge), command)) {
    file.macFailures += 1;
    if (file.macFailures >= MAC_FAILURE_LIMIT) turn.state.locked = true;
    throw new Refusal(SW.fileMacWrong);
  }
  file.macFailures = 0;
  content.set(written, offset);
  file.data = toHex(content);
  return ok();
}
