/** Whatever a card or a file says, readers give a value or their own error: nothing else, and no endless loop. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../app/card/bytes.ts';
import { readTlvs, TlvError, writeTlv } from '../../app/card/tlv.ts';
import { CapFileError } from '../../app/globalplatform/cap-components.ts';
import { readCapFile } from '../../app/globalplatform/cap-file.ts';
import { parseCardCapabilities } from '../../app/globalplatform/capabilities.ts';
import {
  packedDigits,
  parseCardData,
  parseCardImageNumber,
  parseCardResources,
  parseIssuerIdentification,
  parseKeyDiversificationData,
  parseSequenceCounter,
} from '../../app/globalplatform/card-data.ts';
import { parseProductionLifeCycle } from '../../app/globalplatform/cplc.ts';
import { GpFormatError } from '../../app/globalplatform/errors.ts';
import { parseInitializeUpdate } from '../../app/globalplatform/initialize-update.ts';
import { parseKeyInformation } from '../../app/globalplatform/key-information.ts';
import { parseStatus } from '../../app/globalplatform/status.ts';
import { archive, component, sequence, smallPackage, wrapped } from './cap-archive.ts';

const bytes = (maxLength = 300) => fc.uint8Array({ maxLength });

/** Bytes that look like TLV often enough to reach the inner readers. */
const nested = fc.letrec<{ object: Uint8Array }>((tie) => ({
  object: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .tuple(fc.constantFrom(0x4f, 0x9f70, 0xc5, 0x84, 0xc4, 0xc0, 0x06, 0x81, 0x82, 0x83, 0x41), bytes(20))
      .map(([tag, value]) => writeTlv(tag, value)),
    fc
      .tuple(
        fc.constantFrom(0xe3, 0x66, 0x67, 0xa0, 0x73, 0x64, 0x60, 0xe0),
        fc.array(tie('object'), { maxLength: 4 }),
      )
      .map(([tag, values]) => writeTlv(tag, ...values)),
  ),
})).object;

const damaged = (whole: Uint8Array) =>
  fc
    .tuple(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(whole.length))
    .map(([at, flip, cut]) => {
      const copy = whole.slice();
      copy[at] = (copy[at] ?? 0) ^ flip;
      return cut === 0 ? copy.slice(0, at) : copy;
    });

function onlyThrows(kind: new (...args: never[]) => Error, read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
  }
}

describe('any bytes', () => {
  it('as TLV', () => {
    fc.assert(fc.property(bytes(), (data) => onlyThrows(TlvError, () => readTlvs(data))));
  });

  it('TLV objects come back as they were written', () => {
    const tag = fc.constantFrom(0x4f, 0x84, 0xe3, 0x9f70, 0x5f2d, 0x9f7f, 0xdf8101);
    const objects = fc.array(fc.record({ tag, value: bytes(400) }), { maxLength: 8 });
    fc.assert(
      fc.property(objects, (written) => {
        const whole = written.map((object) => toHex(writeTlv(object.tag, object.value))).join('');
        expect(readTlvs(fromHex(whole))).toEqual(written);
      }),
    );
  });

  it('as an INITIALIZE UPDATE answer', () => {
    const answer = fc
      .tuple(fc.uint8Array({ minLength: 11, maxLength: 11 }), fc.constantFrom(2, 3, 1, 0xff), bytes(50))
      .map(([head, scp, rest]) => Uint8Array.from([...head, scp, ...rest]));
    fc.assert(
      fc.property(fc.oneof(bytes(60), answer), (data) => {
        onlyThrows(GpFormatError, () => {
          const parsed = parseInitializeUpdate(data);
          expect(parsed.cardCryptogram.length).toBe(parsed.scp === '02' ? 8 : parsed.cardChallenge.length);
        });
      }),
    );
  });

  it('as a GET STATUS answer, TLV and older, in any pages', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes(), nested), { maxLength: 3 }), (pages) => {
        onlyThrows(GpFormatError, () => parseStatus('applications', 'tlv', ...pages));
        onlyThrows(GpFormatError, () => parseStatus('applications', 'legacy', ...pages));
        onlyThrows(GpFormatError, () => parseStatus('load-files-and-modules', 'legacy', ...pages));
      }),
    );
  });

  it('as GET DATA answers', () => {
    fc.assert(
      fc.property(fc.oneof(bytes(), nested), (data) => {
        for (const read of [
          parseCardData,
          parseCardCapabilities,
          parseCardImageNumber,
          parseIssuerIdentification,
          parseKeyDiversificationData,
          parseCardResources,
          parseSequenceCounter,
          parseKeyInformation,
          parseProductionLifeCycle,
          packedDigits,
        ])
          onlyThrows(GpFormatError, () => read(data));
      }),
    );
  });

  it('as a CAP file: any bytes, a damaged archive, damaged components', () => {
    const parts = smallPackage();
    const forms = [archive(parts), archive(parts, 0), wrapped(archive(parts, 0)), sequence(parts)];
    const components = fc
      .tuple(fc.constantFrom(...Object.keys(parts)), bytes(60))
      .map(([name, info]) => archive({ ...parts, [name]: component(parts[name]?.[0] ?? 0, info) }));
    fc.assert(
      fc.property(fc.oneof(bytes(200), ...forms.map(damaged), components), (data) => {
        onlyThrows(CapFileError, () => readCapFile(data).loadFile());
      }),
      { numRuns: 500 },
    );
  });
});

describe('INITIALIZE UPDATE answers', () => {
  it.each([
    ['0000000000000000000001020001', 'cut short'],
    ['00000000000000000000010200016B4524ABEE7CF32EA3838BC148F3FF', 'bytes left over at offset 28'],
    ['000000000000000000000101', 'neither SCP02 nor SCP03 at offset 11'],
    ['0000000000000000000001037030760CD2C47C1DD395065FE5EAD8A9D7', 'cut short'],
  ])('%s: %s', (data, reason) => {
    expect(() => parseInitializeUpdate(fromHex(data))).toThrow(reason);
  });

  it('SCP03 in all four lengths', () => {
    const head = '0000000000000000000001 03';
    const eight = '1111111111111111';
    const counter = '00002A';
    const lengths = [
      [`${head} 60 ${eight}${eight}`, 8, undefined],
      [`${head} 70 ${eight}${eight}${counter}`, 8, counter],
      [`${head} 61 ${eight.repeat(4)}`, 16, undefined],
      [`${head} 71 ${eight.repeat(4)}${counter}`, 16, counter],
      // A card with random challenges that gives its counter all the same.
      [`${head} 60 ${eight}${eight}${counter}`, 8, counter],
    ] as const;
    for (const [data, size, expected] of lengths) {
      const parsed = parseInitializeUpdate(fromHex(data));
      expect(parsed.cardChallenge).toHaveLength(size);
      const given = parsed.scp === '03' ? parsed.sequenceCounter : undefined;
      expect(given === undefined ? undefined : toHex(given)).toBe(expected);
    }
  });
});
