/** The identification code of a card: where it is read without keys, and how a card shows later that it is the same one. */
import type { CommandApdu } from '../card/apdu.ts';
import { concat, fromHex, toHex } from '../card/bytes.ts';
import { findTlv } from '../card/tlv.ts';
import { parseProductionLifeCycle } from '../globalplatform/cplc.ts';
import type { CardFacts } from '../protocol/wire.ts';
import type { CardTypeProfile, IdentificationRule } from './card-type-schema.ts';

type FileRule = Extract<IdentificationRule, { source: 'file' }>;

/** Where in the CPLC (9F7F, 42 bytes) the chip's own numbers stand: fabrication date, serial number, batch identifier. */
const CPLC_HEAD = 3;
const CPLC_LENGTH = 42;
const CPLC_CODE = { offset: 10, length: 8 } as const;

/** Of any code: what the wire takes at least. */
const FEWEST_DIGITS = 8;

/** A file that the look reads, from its beginning. */
interface PublicFile {
  /** Its name in `CardFacts.files`: the path, `3F00/0005`. */
  readonly name: string;
  readonly path: readonly string[];
  /** Bytes to read. */
  readonly length: number;
}

/** Files that say who a card is, of the types that it may be by its ATR; each once, as far as any type needs it. */
export function identificationFiles(
  profiles: readonly CardTypeProfile[],
  mayBe: (profile: CardTypeProfile) => boolean,
): PublicFile[] {
  const files = new Map<string, PublicFile>();
  for (const { identification } of profiles.filter(mayBe)) {
    if (identification.source !== 'file') continue;
    const name = fileName(identification);
    const length = Math.max(identification.offset + identification.digits / 2, files.get(name)?.length ?? 0);
    files.set(name, { name, path: identification.path, length });
  }
  return [...files.values()];
}

function fileName(rule: FileRule): string {
  return rule.path.join('/');
}

/**
 * The code as text: decimal digits for `cin`, hexadecimal ones for `cplc`, and for `file` digits among which a SIM's issuer may have put
 * hexadecimal ones. Undefined when the card does not give it, or it was never written: memory that nobody wrote reads all 00 or all FF, and taken
 * for a code it would make one card of all such cards.
 */
export function readIdentification(rule: IdentificationRule, facts: CardFacts): string | undefined {
  try {
    switch (rule.source) {
      case 'cin':
        return decimal(toHex(findTlv(fromHex(facts.cin ?? ''), 0x45) ?? new Uint8Array(0)), rule.digits);
      case 'cplc': {
        // With its tag, because that is how the card must show it again.
        if (facts.cplc?.startsWith('9F7F') !== true) return undefined;
        const { icFabricationDate, icSerialNumber, icBatchIdentifier } = parseProductionLifeCycle(
          fromHex(facts.cplc),
        );
        // The serial number alone tells the chips of one batch apart.
        if (neverWritten(toHex(icSerialNumber))) return undefined;
        return toHex(concat(icFabricationDate, icSerialNumber, icBatchIdentifier));
      }
      case 'file': {
        const start = 2 * rule.offset;
        const bytes = facts.files?.[fileName(rule)]?.slice(start, start + rule.digits) ?? '';
        return fileCode(rule.swapped ? swapped(bytes) : bytes, rule.digits);
      }
    }
  } catch {
    return undefined;
  }
}

/** Only 0 or only F. */
function neverWritten(digits: string): boolean {
  return /^(?:0*|F*)$/.test(digits);
}

function decimal(text: string, digits: number): string | undefined {
  return text.length === digits && /^[0-9]+$/.test(text) && !neverWritten(text) ? text : undefined;
}

/**
 * A code shorter than its place is filled up with F (ETSI TS 102 221 §13.2). Operators print hexadecimal digits in it, A to E, as segments of
 * the number. An F before its end is neither: such a code is not taken.
 */
function fileCode(text: string, digits: number): string | undefined {
  const code = text.replace(/F+$/, '');
  const whole = text.length === digits && code.length >= FEWEST_DIGITS && /^[0-9A-E]+$/.test(code);
  return whole && !neverWritten(code) ? code : undefined;
}

/** The two digits of each byte the other way round. */
function swapped(text: string): string {
  return text.replace(/(.)(.)/g, '$2$1');
}

/** A command, and what its answer's data must be where the mask has ones. */
interface IdentifyingCommand {
  readonly command: CommandApdu;
  readonly expect?: { readonly value: Uint8Array; readonly mask: Uint8Array };
}

/** SELECT of a file by its identifier, path by path, without an answer (ISO/IEC 7816-4 §7.1.1). */
export function selectFile(path: readonly string[]): CommandApdu[] {
  return path.map((id) => ({ cla: 0x00, ins: 0xa4, p1: 0x00, p2: 0x00, data: fromHex(id), le: 256 }));
}

/** READ BINARY of the selected file (ISO/IEC 7816-4 §7.2.3). */
export function readSelected(offset: number, length: number): CommandApdu {
  return { cla: 0x00, ins: 0xb0, p1: offset >> 8, p2: offset & 0xff, le: length };
}

/**
 * What a card must answer to be the one with this code; after SELECT of the security domain where the type has one. The code
 * is one that `readIdentification` gave.
 */
export function identifyingCommands(rule: IdentificationRule, code: string): IdentifyingCommand[] {
  switch (rule.source) {
    case 'cin': {
      const value = fromHex(code);
      return [
        { command: getData(0x0045), expect: exactly(concat(Uint8Array.of(0x45, value.length), value)) },
      ];
    }
    case 'cplc': {
      const value = new Uint8Array(CPLC_HEAD + CPLC_LENGTH);
      const mask = new Uint8Array(CPLC_HEAD + CPLC_LENGTH);
      value.set([0x9f, 0x7f, CPLC_LENGTH]);
      value.set(fromHex(code), CPLC_HEAD + CPLC_CODE.offset);
      mask.fill(0xff, 0, CPLC_HEAD);
      mask.fill(0xff, CPLC_HEAD + CPLC_CODE.offset, CPLC_HEAD + CPLC_CODE.offset + CPLC_CODE.length);
      return [{ command: getData(0x9f7f), expect: { value, mask } }];
    }
    case 'file': {
      const filled = code.padEnd(rule.digits, 'F');
      const value = fromHex(rule.swapped ? swapped(filled) : filled);
      return [
        ...selectFile(rule.path).map((command) => ({ command })),
        { command: readSelected(rule.offset, value.length), expect: exactly(value) },
      ];
    }
  }
}

function getData(tag: number): CommandApdu {
  return { cla: 0x80, ins: 0xca, p1: tag >> 8, p2: tag & 0xff, le: 256 };
}

function exactly(value: Uint8Array): { readonly value: Uint8Array; readonly mask: Uint8Array } {
  return { value, mask: new Uint8Array(value.length).fill(0xff) };
}
