/** LOAD: a load file data block cut into numbered blocks (GPC 2.3.1 §11.6). */
import type { CommandApdu } from '../card/apdu.ts';
import { concat } from '../card/bytes.ts';
import { lengthBytes } from '../card/tlv.ts';
import { LoadFileTooLarge } from './errors.ts';

/** Block numbers have one byte, and numbering does not start again. */
const MAXIMUM_BLOCKS = 256;

/** Largest load file data block, without tag and length, that can be loaded in blocks of `blockSize` plain bytes. */
function maximumLoadFile(blockSize: number): number {
  checkBlockSize(blockSize);
  const room = MAXIMUM_BLOCKS * blockSize;
  for (const header of [2, 3, 4]) {
    const size = room - header;
    if (1 + lengthBytes(size).length <= header) return size;
  }
  return room - 5;
}

/**
 * How many LOAD commands a load file data block takes, tag and length included.
 * @throws LoadFileTooLarge above 256.
 */
export function blockCount(loadFileDataBlock: Uint8Array, blockSize: number): number {
  checkBlockSize(blockSize);
  const size = loadFileDataBlock.length;
  const blocks = Math.ceil((1 + lengthBytes(size).length + size) / blockSize);
  if (blocks > MAXIMUM_BLOCKS) throw new LoadFileTooLarge(maximumLoadFile(blockSize), size);
  return blocks;
}

/**
 * All LOAD commands of a load file data block, in order. `blockSize` is what the channel allows: its `maximumBlockSize`.
 * @throws LoadFileTooLarge when they are more than 256.
 */
export function loadCommands(loadFileDataBlock: Uint8Array, blockSize: number): CommandApdu[] {
  const count = blockCount(loadFileDataBlock, blockSize);
  const whole = concat(Uint8Array.of(0xc4), lengthBytes(loadFileDataBlock.length), loadFileDataBlock);
  return Array.from({ length: count }, (_, block) => ({
    cla: 0x80,
    ins: 0xe8,
    p1: block === count - 1 ? 0x80 : 0x00,
    p2: block,
    data: whole.slice(block * blockSize, (block + 1) * blockSize),
    le: 256,
  }));
}

function checkBlockSize(blockSize: number): void {
  if (!Number.isInteger(blockSize) || blockSize < 1 || blockSize > 255)
    throw new RangeError('block size outside 1..255');
}
