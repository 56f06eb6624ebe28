/** STORE DATA: personal data to a security domain or, through it, to an application (GPC 2.3.1 §11.11). */
import type { CommandApdu } from '../card/apdu.ts';
import { concat } from '../card/bytes.ts';

/** Block numbers have one byte, and numbering does not start again. */
const MOST_BLOCKS = 256;
const LAST_BLOCK = 0x80;

/** What the data are (P1 bits 5 and 4), and whether they are enciphered (bits 7 and 6). */
export interface StoreDataForm {
  readonly structure: 'none' | 'dgi' | 'ber-tlv';
  /** Default: not said. `application`: as the application has it. */
  readonly encryption?: 'none' | 'application' | 'encrypted';
  /** Whether an answer with data may come. Default false. */
  readonly answers?: boolean;
}

/** One data grouping: its identifier (EMV Card Personalization Specification 1.1 §2.3) and value. */
export interface DataGrouping {
  readonly dgi: number;
  readonly value: Uint8Array;
}

const STRUCTURE = { none: 0x00, dgi: 0x08, 'ber-tlv': 0x10 } as const;
const ENCRYPTION = { none: 0x00, application: 0x20, encrypted: 0x60 } as const;

/** Identifier, length and value: the length has one byte up to 254, else FF and two (EMV CPS 1.1 §2.3). @throws RangeError */
export function writeDataGrouping({ dgi, value }: DataGrouping): Uint8Array {
  if (!Number.isInteger(dgi) || dgi < 0x0001 || dgi > 0xffff) throw new RangeError('DGI outside 0001..FFFF');
  if (value.length > 0xffff) throw new RangeError('data grouping longer than 65,535 bytes');
  const { length } = value;
  const lengthBytes = length < 0xff ? Uint8Array.of(length) : Uint8Array.of(0xff, length >> 8, length & 0xff);
  return concat(Uint8Array.of(dgi >> 8, dgi & 0xff), lengthBytes, value);
}

/**
 * STORE DATA for data groupings, in order. As many whole groupings travel in one block as it holds; one that is longer than a
 * block has blocks of its own. `blockSize` is what the channel allows: its `maximumBlockSize`.
 * @throws RangeError when they take more than 256 blocks.
 */
export function storeGroupings(
  groupings: readonly DataGrouping[],
  blockSize: number,
  form: Omit<StoreDataForm, 'structure'> = {},
): CommandApdu[] {
  const blocks: Uint8Array[] = [];
  let open: Uint8Array = new Uint8Array(0);
  for (const bytes of groupings.map(writeDataGrouping)) {
    if (open.length + bytes.length <= blockSize) {
      open = concat(open, bytes);
      continue;
    }
    if (open.length > 0) blocks.push(open);
    open = new Uint8Array(0);
    if (bytes.length <= blockSize) open = bytes;
    else blocks.push(...cut(bytes, blockSize));
  }
  if (open.length > 0) blocks.push(open);
  return commandsOf(blocks, { ...form, structure: 'dgi' });
}

/** STORE DATA for bytes cut into blocks wherever they are full. @throws RangeError when they take more than 256. */
export function storeData(data: Uint8Array, blockSize: number, form: StoreDataForm): CommandApdu[] {
  return commandsOf(cut(data, blockSize), form);
}

function cut(data: Uint8Array, blockSize: number): Uint8Array[] {
  if (!Number.isInteger(blockSize) || blockSize < 1 || blockSize > 255)
    throw new RangeError('block size outside 1..255');
  return Array.from({ length: Math.ceil(data.length / blockSize) }, (_, i) =>
    data.slice(i * blockSize, (i + 1) * blockSize),
  );
}

function commandsOf(blocks: readonly Uint8Array[], form: StoreDataForm): CommandApdu[] {
  if (blocks.length === 0) throw new RangeError('STORE DATA without data');
  if (blocks.length > MOST_BLOCKS) throw new RangeError('STORE DATA of more than 256 blocks');
  const p1 =
    STRUCTURE[form.structure] | ENCRYPTION[form.encryption ?? 'none'] | (form.answers === true ? 0x01 : 0x00);
  return blocks.map((data, block) => ({
    cla: 0x80,
    ins: 0xe2,
    p1: block === blocks.length - 1 ? p1 | LAST_BLOCK : p1,
    p2: block,
    data,
    ...(form.answers === true ? { le: 256 } : {}),
  }));
}
