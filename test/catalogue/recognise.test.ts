/** Which card it is, from what a card, or whoever plays one, says of itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeMemory, recognise } from '../../app/catalogue/recognise.ts';
import { type CardFacts, cardFactsSchema } from '../../app/protocol/wire.ts';
import { demoCatalogue } from '../support/station.ts';

describe('recognising a card', () => {
  it('finds type and identification code', () => {
    expect(recognise(catalogue, facts)).toMatchObject({
      known: true,
      identification: '1234567890123456',
      profile: { id: 'demo-scp03' },
    });
  });

  it.each([
    ['an ATR of no profile', { atr: '3B00' }, 'unknown-card'],
    ['an ATR that is longer', { atr: '3B85014B41494B41CD00' }, 'unknown-card'],
    ['another protocol than its type has', { cardData: recognition('02', '55') }, 'wrong-card-type'],
    ['other options than its type has', { cardData: recognition('03', '60') }, 'wrong-card-type'],
    ['recognition data that are not TLV', { cardData: '66FF' }, 'wrong-card-type'],
    ['no recognition data', { cardData: undefined }, 'wrong-card-type'],
    ['no identification code', { cin: undefined }, 'wrong-card-type'],
    ['an identification code that is short', { cin: '450712345678901234' }, 'wrong-card-type'],
    ['an identification code that is not decimal', { cin: '4508123456789012345F' }, 'wrong-card-type'],
  ] as const)('refuses %s', (_name, change, code) => {
    const said = Object.fromEntries(
      Object.entries({ ...facts, ...change }).filter(([, v]) => v !== undefined),
    );
    expect(recognise(catalogue, cardFactsSchema.parse(said))).toMatchObject({ known: false, code });
  });

  it('names both profiles when two fit equally', () => {
    const [one, ...rest] = catalogue.profiles;
    if (one === undefined) throw new Error('no profile');
    const doubled = { ...catalogue, profiles: [one, { ...one, id: 'twin' }, ...rest] };
    const atr = one.recognise.atr?.value ?? '';
    expect(recognise(doubled, { ...facts, atr })).toEqual({
      known: false,
      code: 'unknown-card',
      reason: `the profiles ${one.id} and twin fit equally well`,
    });
  });

  it('survives whatever a card says', () => {
    const hex = fc
      .uint8Array({ minLength: 2, maxLength: 33 })
      .map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase());
    fc.assert(
      fc.property(hex, hex, hex, (cin, cardData, resources) => {
        const said = { ...facts, cin, cardData, resources };
        expect(['unknown-card', 'wrong-card-type', undefined]).toContain(
          (({ known, ...rest }) => (known ? undefined : 'code' in rest ? rest.code : ''))(
            recognise(catalogue, said),
          ),
        );
        const free = freeMemory(said);
        expect(free === null || free >= 0).toBe(true);
      }),
    );
  });

  it('reads free memory from FF21, and knows when the card does not say', () => {
    expect(freeMemory({ ...facts, resources: 'FF210C810104820400013880830110' })).toBe(80_000);
    expect(freeMemory({ ...facts, resources: 'FF2103810104' })).toBeNull();
    expect(freeMemory({ ...facts, resources: 'FF210782050000013880' })).toBeNull();
    expect(freeMemory(facts)).toBeNull();
  });
});

/** The delivered types and others that are told apart by what they ask for. */
describe('by what a card says of itself', () => {
  const sim = '3B9F96801FC78031A073BE21136743200718000001A5';
  // CPLC with fabricator 4790, type 5168, operating system 4791 of day 8102, level 3B00; chip of day 3210, 1234ABCD in batch 0042.
  const cplc = `9F7F2A4790516847918102 3B00 3210 1234ABCD 0042${'00'.repeat(24)}`.replace(/ /g, '');

  it.each([
    ['a SIM with i = 15', recognition('02', '15'), 'sim-scp02-15'],
    ['a SIM with i = 55', recognition('02', '55'), 'sim-scp02-55'],
    [
      'one that offers SCP80 too',
      '661C731A640B06092A864886FC6B048000640B06092A864886FC6B040255',
      'sim-scp02-55',
    ],
  ])('%s', (_name, cardData, id) => {
    const said = { atr: sim, cardData, files: { '3F00/2FE2': '98880010325476981032' } };
    expect(recognise(catalogue, said)).toMatchObject({ known: true, profile: { id } });
  });

  it('an ICCID of 19 digits has its digits swapped and its filler left out', () => {
    const said = {
      atr: sim,
      cardData: recognition('02', '15'),
      files: { '3F00/2FE2': '988800103254769810F2' },
    };
    expect(recognise(catalogue, said)).toMatchObject({ identification: '8988000123456789012' });
  });

  it.each([
    // Hexadecimal segments, as two Chinese operators print them.
    ['9868005B112143658709', '898600B5111234567890'],
    ['98880010325476981032', '89880001234567890123'],
    // 17 and 18 digits in the room of 20.
    ['9888001032547698F0FF', '89880001234567890'],
    ['988800103254769810FF', '898800012345678901'],
    ['FFFFFFFFFFFFFFFFFFFF', undefined],
    ['00000000000000000000', undefined],
    ['9888FFFFFFFFFFFFFFFF', undefined],
  ])('an ICCID %s is %s', (file, identification) => {
    const said = { atr: sim, cardData: recognition('02', '15'), files: { '3F00/2FE2': file } };
    expect(recognise(catalogue, said)).toMatchObject(
      identification === undefined ? { code: 'wrong-card-type' } : { known: true, identification },
    );
  });

  it('a SIM’s hexadecimal code is not taken where the code is the account', () => {
    const ofIdentification = catalogue.profiles.map((profile) =>
      profile.id === 'sim-scp02-15'
        ? { ...profile, account: { source: 'identification' as const } }
        : profile,
    );
    const said = (file: string) => ({
      atr: sim,
      cardData: recognition('02', '15'),
      files: { '3F00/2FE2': file },
    });
    const own = { ...catalogue, profiles: ofIdentification };
    expect(recognise(own, said('98880010325476981032'))).toMatchObject({ known: true });
    expect(recognise(own, said('9868005B112143658709'))).toMatchObject({ code: 'wrong-card-type' });
  });

  it('a SIM of another protocol is told from one nobody knows', () => {
    const said = { atr: sim, cardData: recognition('03', '70') };
    expect(recognise(catalogue, said)).toMatchObject({ code: 'wrong-card-type' });
    expect(recognise(catalogue, { ...said, atr: '3B00' })).toMatchObject({ code: 'unknown-card' });
  });

  it('a JCOP card by ATR, fabricator and protocol; its code are the chip’s own numbers', () => {
    const said = { atr: '3BD518FF8191FE1FC38073C821100A', cplc, cardData: recognition('03', '70') };
    expect(recognise(catalogue, said)).toMatchObject({
      profile: { id: 'jcop-scp03' },
      identification: '32101234ABCD0042',
    });
    const other = { ...said, cplc: cplc.replace('9F7F2A4790', '9F7F2A4250') };
    expect(recognise(catalogue, other)).toMatchObject({ code: 'wrong-card-type' });
    expect(recognise(catalogue, { ...said, cplc: cplc.slice(6) })).toMatchObject({ code: 'wrong-card-type' });
  });

  it.each([
    ['serial number all FF', '1234ABCD', 'FFFFFFFF'],
    ['serial number all 00', '1234ABCD', '00000000'],
    ['date, serial number and batch all FF', '32101234ABCD0042', 'FF'.repeat(8)],
    ['date, serial number and batch all 00', '32101234ABCD0042', '00'.repeat(8)],
  ])('a chip with its %s has no code', (_name, written, never) => {
    const said = { atr: '3BD518FF8191FE1FC38073C821100A', cardData: recognition('03', '70') };
    expect(recognise(catalogue, { ...said, cplc: cplc.replace(written, never) })).toMatchObject({
      code: 'wrong-card-type',
    });
  });

  it.each(['00', 'FF'])('a card whose image number was never written (%s) has no code', (byte) => {
    expect(recognise(catalogue, { ...facts, cin: `4508${byte.repeat(8)}` })).toMatchObject({
      code: 'wrong-card-type',
    });
  });

  it('a native card by its ATR, whatever its serial number, and its code from a file of its master file', () => {
    const files = { '3F00/0005': '1234567890123456' };
    for (const atr of ['3B6D0000009054311686380000000000AB', '3B6D00000090FFFFFFFFFFFFFFFFFFFFFF'])
      expect(recognise(catalogue, { atr: atr.padEnd(34, '0'), files })).toMatchObject({
        profile: { id: 'fmcos-native' },
        identification: '1234567890123456',
      });
    expect(recognise(catalogue, { atr: '3B6D0000009054311686380000000000AB'.padEnd(34, '0') })).toMatchObject(
      {
        code: 'wrong-card-type',
      },
    );
  });

  it('the most specific profile wins, whatever it is specific about', () => {
    const jcop = catalogue.profiles.find((one) => one.id === 'jcop-scp03');
    if (jcop === undefined) throw new Error('no profile');
    const variant = (id: string, more: object) => ({
      ...jcop,
      id,
      recognise: { ...jcop.recognise, ...more },
    });
    const said = {
      atr: '3BD518FF8191FE1FC38073C821100A',
      cplc,
      cardData: recognition('03', '70'),
      iin: '42034B4149',
    };
    const type = (...others: (typeof jcop)[]) => {
      const found = recognise({ ...catalogue, profiles: [...catalogue.profiles, ...others] }, said);
      return found.known ? found.profile.id : found.reason;
    };
    const newer = variant('newer', { cplc: { icFabricator: '4790', operatingSystemReleaseLevel: '3B00' } });
    const branded = variant('branded', { iin: { value: '4B41', mask: 'FFF0' } });
    const other = variant('other', { iin: { value: '4C', mask: 'FF' } });
    const loose = variant('loose', { atr: undefined });
    expect(type()).toBe('jcop-scp03');
    expect(type(newer, branded, other, loose)).toBe('newer');
    expect(type(branded, other, loose)).toBe('branded');
    expect(type(other, loose)).toBe('jcop-scp03');
    expect(type(newer, variant('same', { cplc: { icFabricator: '4790', icType: '5168' } }))).toBe(
      'the profiles newer and same fit equally well',
    );
  });
});

const catalogue = demoCatalogue();

// Card recognition data, GPC 2.3.1 §H.2: 66 → 73 → 64 → OID {globalPlatform 4 scp i}.
const recognition = (scp: string, i: string) => `660F730D640B06092A864886FC6B04${scp}${i}`;

const facts: CardFacts = {
  atr: '3B85014B41494B41CD',
  cin: '45081234567890123456',
  cardData: recognition('03', '70'),
};
