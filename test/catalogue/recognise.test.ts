/** Which card it is, from what a card, or whoever plays one, says of itself. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freeMemory, recognise } from '../../app/catalogue/recognise.ts';
import { type CardFacts, cardFactsSchema } from '../../app/protocol/wire.ts';
import { demoCatalogue } from '../support/station.ts';

const catalogue = demoCatalogue();
// Card recognition data, GPC 2.3.1 §H.2: 66 → 73 → 64 → OID {globalPlatform 4 scp i}.
const recognition = (scp: string, i: string) => `660F730D640B06092A864886FC6B04${scp}${i}`;
const facts: CardFacts = {
  atr: '3B85014B41494B41CD',
  cin: '45081234567890123456',
  cardData: recognition('03', '70'),
};

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

  it('refuses a card that two profiles fit equally', () => {
    const [one, ...rest] = catalogue.profiles;
    if (one === undefined) throw new Error('no profile');
    const doubled = { ...catalogue, profiles: [one, { ...one, id: 'twin' }, ...rest] };
    expect(recognise(doubled, { ...facts, atr: one.recognise.atr.value })).toMatchObject({
      code: 'unknown-card',
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
