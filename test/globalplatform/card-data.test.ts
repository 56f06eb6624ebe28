/**
 * What real cards say without keys. Answers published with GlobalPlatformPro (TestParseTags, cards of several makers), fdsm
 * (FidesmoCardTest) and in other public logs; read here by hand against GPC 2.3.1.
 */
import { describe, expect, it } from 'vitest';
import { parseKeyDiversificationData, parseSequenceCounter } from '../../app/globalplatform/card-data.ts';
import { GpFormatError, parseCardData, parseKeyInformation, parseProductionLifeCycle } from './answers.ts';
import { fromHex, toHex } from './commands.ts';

describe('card data', () => {
  it('an older card: version 2.1.1, SCP02 i = 15', () => {
    const data =
      '664C734A06072A864886FC6B01600C060A2A864886FC6B02020101630906072A864886FC6B03640B06092A864886FC6B040215650B06092B8510864864020103660C060A2B060104012A026E0102';
    expect(parseCardData(fromHex(data))).toEqual({ gpVersion: '2.1.1', protocols: [{ scp: 2, i: 0x15 }] });
  });

  it('a newer card: SCP03 i = 70, and SCP80 of another object', () => {
    const data =
      '6657735506072A864886FC6B01600B06092A864886FC6B020202630906072A864886FC6B03640B06092A864886FC6B040370640B06092A864886FC6B048000650A06082A864886FC6B0504660C060A2B060104012A026E0103';
    // 80 00 reads as one arc of value 0: the card wrote the SCP number 80 as a byte, against the encoding of identifiers.
    expect(parseCardData(fromHex(data))).toEqual({ gpVersion: '2.2', protocols: [{ scp: 3, i: 0x70 }] });
  });

  it('refuses other objects and broken ones, saying where', () => {
    expect(() => parseCardData(fromHex('4500'))).toThrow(GpFormatError);
    expect(() => parseCardData(fromHex('664C734A'))).toThrow('card data (0066): value cut short at offset 2');
    expect(() => parseCardData(new Uint8Array(0))).toThrow('empty');
    expect(() => parseCardData(fromHex('66077305640306018 8'))).toThrow('identifier cut short');
  });
});

describe('key information', () => {
  it.each([
    ['E012C00401FF8010C00402FF8010C00403FF8010', 0xff, 0x80],
    ['E012C00401018810C00402018810C00403018810', 0x01, 0x88],
  ])('%s: one set of three keys', (data, keyVersion, type) => {
    expect(parseKeyInformation(fromHex(data))).toEqual(
      [1, 2, 3].map((keyId) => ({ keyId, keyVersion, components: [{ type, length: 16 }] })),
    );
  });

  it('AES-256 keys and an RSA key of two components', () => {
    const keys = parseKeyInformation(
      fromHex('E020C00401018820C00402018820C00403018820C0060170A180A003C00401718010'),
    );
    expect(keys).toHaveLength(5);
    expect(keys[0]?.components).toEqual([{ type: 0x88, length: 32 }]);
    expect(keys[3]).toEqual({
      keyId: 1,
      keyVersion: 0x70,
      components: [
        { type: 0xa1, length: 0x80 },
        { type: 0xa0, length: 3 },
      ],
    });
  });

  it('extended form, with and without FF before the second component', () => {
    const without = parseKeyInformation(
      fromHex('E021C00401018010C00402018010C00403018010C00D0173FFA10080A0000301840100'),
    );
    expect(without[3]?.components).toEqual([
      { type: 0xa1, length: 0x80 },
      { type: 0xa0, length: 3 },
    ]);
    const long = parseKeyInformation(
      fromHex(
        'E081B0C00A0120FF80001001000100C00A0220FF80001001000100C00A0320FF80001001000100C00A0101FF80001001000100C00A0201FF80001001000100C00A0301FF80001001000100C00A0102FF88001001000100C00E0202FF880010FF10000101000100C00A0302FF88001001000100C00A0103FF88001001000100C00E0203FF880010FF10000101000100C00A0303FF88001001000100C00A1403FF85001001000100C00A1503FF88001001000100',
      ),
    );
    expect(long).toHaveLength(14);
    expect(long[7]).toEqual({
      keyId: 2,
      keyVersion: 2,
      components: [
        { type: 0x88, length: 16 },
        { type: 0x10, length: 1 },
      ],
    });
  });

  it('refuses half a component', () => {
    expect(() => parseKeyInformation(fromHex('E007C005010180 1088'))).toThrow(GpFormatError);
    expect(() => parseKeyInformation(fromHex('E006C0040101FF88'))).toThrow(GpFormatError);
  });
});

describe('card production life cycle', () => {
  const answer = '9F7F2A47906B644700E4D80300816500485399064800000000000000005758594E4E4E4E4E0000000000000000';

  it('a card in the field, with and without the tag', () => {
    const cplc = parseProductionLifeCycle(fromHex(answer));
    expect(toHex(cplc.icFabricator)).toBe('4790');
    expect(toHex(cplc.icType)).toBe('6B64');
    expect(toHex(cplc.operatingSystemId)).toBe('4700');
    expect(toHex(cplc.operatingSystemReleaseDate)).toBe('E4D8');
    expect(toHex(cplc.operatingSystemReleaseLevel)).toBe('0300');
    // Day 165 of a year ending in 8.
    expect(toHex(cplc.icFabricationDate)).toBe('8165');
    expect(toHex(cplc.icSerialNumber)).toBe('00485399');
    expect(toHex(cplc.icBatchIdentifier)).toBe('0648');
    expect(toHex(cplc.icPersonalizationEquipment)).toBe('00000000');
    expect(parseProductionLifeCycle(fromHex(answer.slice(6)))).toEqual(cplc);
  });

  it('refuses another length', () => {
    expect(() => parseProductionLifeCycle(fromHex(answer.slice(0, -2)))).toThrow(GpFormatError);
    expect(() => parseProductionLifeCycle(fromHex('9F7F02 4790'))).toThrow('another length than 42');
  });
});

describe('numbers and counters', () => {
  it('key diversification data and sequence counter', () => {
    expect(toHex(parseKeyDiversificationData(fromHex('CF0A00007295713236006868')))).toBe(
      '00007295713236006868',
    );
    expect(toHex(parseSequenceCounter(fromHex('C103000019')))).toBe('000019');
    expect(() => parseSequenceCounter(fromHex('C1020004'))).not.toThrow();
    expect(() => parseSequenceCounter(fromHex('C10119'))).toThrow(GpFormatError);
  });
});
