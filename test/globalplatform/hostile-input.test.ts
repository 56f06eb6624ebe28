/** Whatever a card or a file says, readers give a value or their own error: nothing else, and no endless loop. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findTlv, readTlvs, TlvError, writeTlv } from '../../app/card/tlv.ts';
import { freeMemory, recognise } from '../../app/catalogue/recognise.ts';
import { parseKeyDiversificationData, parseSequenceCounter } from '../../app/globalplatform/card-data.ts';
import { parseKeyInformation } from '../../app/globalplatform/key-information.ts';
import { scp03Cryptograms } from '../../app/globalplatform/scp03.ts';
import { parseStatus } from '../../app/globalplatform/status.ts';
import { foreknowledge } from '../../app/keyserver/issuer/foretell.ts';
import { OWN_RESOURCES, openCatalogue } from '../../app/keyserver/resources.ts';
import type { CardFacts } from '../../app/protocol/wire.ts';
import { GpFormatError, parseCardData, parseInitializeUpdate, parseProductionLifeCycle } from './answers.ts';
import {
  archive,
  CapFileError,
  component,
  readCapFile,
  sequence,
  smallPackage,
  wrapped,
} from './cap-archive.ts';
import type { ChannelContext } from './channels.ts';
import { deriveSessionKeys, openChannel, ResponseSecurityError, scp02Cryptograms } from './channels.ts';
import { concat, fromHex, toHex } from './commands.ts';

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
          parseKeyDiversificationData,
          parseSequenceCounter,
          parseKeyInformation,
          parseProductionLifeCycle,
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

describe('TLV made to go deep, or on for ever', () => {
  it('objects inside one another ten thousand deep', () => {
    let whole: Uint8Array = new Uint8Array(0);
    const parts: Uint8Array[] = [];
    for (let depth = 0, length = 0; depth < 10_000; depth += 1) {
      const head = Uint8Array.of(0xe3, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
      parts.push(head);
      length += head.length;
    }
    whole = concat(...parts.reverse());
    for (const read of [
      () => readTlvs(whole),
      () => findTlv(whole, ...Array.from({ length: 9_000 }, () => 0xe3)),
    ])
      onlyThrows(TlvError, read);
    onlyThrows(GpFormatError, () => parseStatus('applications', 'tlv', whole));
  });

  it.each([
    ['of indefinite length', '6680 4F00 0000', 'length form not supported at offset 1'],
    ['with a length of five bytes', '4F85 0000000001 AA', 'length form not supported'],
    ['longer than can be', '4F84 FFFFFFFF', 'value cut short'],
    ['with a length cut short', '4F82 01', 'length cut short'],
    ['with a tag that never ends', '5FFFFFFFFF', 'tag longer than 3 bytes'],
    ['with a tag and nothing else', '4F', 'length missing'],
  ])('an object %s', (_what, data, reason) => {
    expect(() => readTlvs(fromHex(data))).toThrow(reason);
    expect(() => parseStatus('applications', 'tlv', fromHex(data))).toThrow(GpFormatError);
  });

  it('a hundred thousand bytes of padding', () => {
    expect(readTlvs(new Uint8Array(100_000).fill(0xff))).toEqual([]);
  });
});

describe('what else is read', () => {
  it('as what a card says of itself in the look: a card type, or none', () => {
    const catalogue = openCatalogue(OWN_RESOURCES);
    const text = fc.oneof(bytes(100), nested).map((data) => toHex(data).slice(0, 512));
    const atrs = catalogue.profiles.map((profile) => profile.recognise.atr?.value ?? '3B00');
    const fact = fc.option(text, { nil: undefined });
    const facts = fc.record({
      atr: fc.oneof(fc.constantFrom(...atrs), text),
      cplc: fact,
      iin: fact,
      cin: fact,
      cardData: fact,
      keyInformation: fact,
      diversificationData: fact,
      sequenceCounter: fact,
      resources: fact,
    });
    fc.assert(
      fc.property(facts, (said) => {
        const given = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
        const card: CardFacts = { atr: said.atr, ...given };
        recognise(catalogue, card);
        freeMemory(card);
        for (const profile of catalogue.profiles) foreknowledge(profile, { apps: {} }, card);
      }),
    );
  });

  it('as an answer in a channel, whatever its level: closed, or the card’s own', async () => {
    const key = fromHex('404142434445464748494A4B4C4D4E4F');
    const levels = [
      ['02', 0x75, 0x11],
      ['02', 0x75, 0x13],
      ['03', 0x70, 0x11],
      ['03', 0x70, 0x33],
    ] as const;
    const hostChallenge = fromHex('0102030405060708');
    const port = {
      sessionKeys: (context: ChannelContext) =>
        Promise.resolve(deriveSessionKeys({ enc: key, mac: key, dek: key }, context)),
    };
    const head = `${'00'.repeat(10)}01`;
    const challenge = fromHex('1122334455667788');
    const session = await port.sessionKeys({ scp: '03', hostChallenge, cardChallenge: challenge });
    const three = `${head}0370${toHex(challenge)}${toHex(scp03Cryptograms(session.mac, hostChallenge, challenge).card)}000001`;
    const two = await port.sessionKeys({ scp: '02', sequenceCounter: fromHex('0001') });
    const six = challenge.slice(0, 6);
    const cryptogram = scp02Cryptograms(two.enc, hostChallenge, fromHex('0001'), six).card;
    const answers = { '02': `${head}020001${toHex(six)}${toHex(cryptogram)}`, '03': three };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...levels),
        bytes(64),
        fc.oneof(fc.constantFrom(0x9000, 0x6310, 0x6283, 0x6a88), fc.nat(0xffff)),
        async ([scp, i, securityLevel], data, sw) => {
          const response = parseInitializeUpdate(fromHex(answers[scp]));
          const channel = await openChannel({ scp, i, securityLevel, hostChallenge, response }, port);
          channel.externalAuthenticate();
          channel.wrap({ cla: 0x80, ins: 0xf2, p1: 0x40, p2: 0x02, data: fromHex('4F00'), le: 256 });
          onlyThrows(ResponseSecurityError, () => {
            const answer = channel.unwrap({ data, sw });
            // SCP03 gives no R-MAC on errors, and then nothing but the status word.
            expect(scp).toBe('03');
            expect(answer.data).toHaveLength(0);
          });
        },
      ),
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
