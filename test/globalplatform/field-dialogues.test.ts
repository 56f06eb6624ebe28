/**
 * What cards in the field said, as people posted it with their questions to GlobalPlatformPro (martinpaljak/GlobalPlatformPro, by
 * issue) and elsewhere: facts that our code is held to, oddities included. Keys 40…4F unless given.
 */
import { describe, expect, it } from 'vitest';
import { AesKey } from '../../app/globalplatform/aes.ts';
import { parseSequenceCounter } from '../../app/globalplatform/card-data.ts';
import { deriveSessionKeys, predictCardChallenge } from '../support/globalplatform/static-session-keys.ts';
import { parseCardData, parseInitializeUpdate, parseKeyInformation, parseStatus } from './answers.ts';
import { openChannel, predictScp02CardChallenge, scp02Cryptograms, scp03Cryptograms } from './channels.ts';
import { concat, decodeCommand, fromHex, toAid, toHex } from './commands.ts';

describe('SCP02', () => {
  it('a JCOP 3 card (J3H145; issue 259): session keys, cryptogram, and the challenge that follows from its counter', () => {
    const answer = parseInitializeUpdate(fromHex('00009326519195994079010200BEAFB62D5028FAFBDBDDA508739DC5'));
    const keys = deriveSessionKeys(alike(DEFAULT), { scp: '02', sequenceCounter: fromHex('00BE') });
    expect([keys.enc, keys.mac, keys.rmac].map(toHex)).toEqual([
      '61312BB4F30C1A9576C122005DA3527E',
      'BDD3B922E3DAAB7C361DFDAA9EE8C019',
      '59AB83296D36C48A474DE91497936E1B',
    ]);
    const host = fromHex('EBB5B44D35997157');
    const { card } = scp02Cryptograms(keys.enc, host, fromHex('00BE'), answer.cardChallenge);
    expect(toHex(card)).toBe(toHex(answer.cardCryptogram));
    const predicted = predictScp02CardChallenge(keys.mac, toAid('A000000151000000'));
    expect(toHex(predicted)).toBe(toHex(answer.cardChallenge));
  });

  it('a Sm@rtCafé card (issue 80): the older lists, and a refusal of one of them', async () => {
    const channel = await openChannel(
      {
        scp: '02',
        i: 0x15,
        securityLevel: 0x01,
        hostChallenge: fromHex('18065633407B17A5'),
        response: parseInitializeUpdate(fromHex('0000054F002A0044AB010102001B9B95B95E5EBCABB137C7B87EE6EF')),
      },
      { sessionKeys: (context) => Promise.resolve(deriveSessionKeys(alike(DEFAULT), context)) },
    );
    expect(toHex(channel.externalAuthenticate())).toBe('84820100109D300822A9ACF7059A8CACFE450C2A0F');
    for (const [plain, wrapped] of [
      ['80F28000024F0000', '84F280000A4F008B28B60A425106E600'],
      ['80F24000024F0000', '84F240000A4F005F7B7E460836114200'],
      ['80F22000024F0000', '84F220000A4F00657AFEB0CBB87F4000'],
      ['80F21000024F0000', '84F210000A4F008657307F7122572400'],
    ] as const)
      expect(toHex(channel.wrap(decodeCommand(fromHex(plain))))).toBe(wrapped);
    expect(parseStatus('issuer-security-domain', 'legacy', fromHex('08A0000000030000000F9E'))).toMatchObject([
      { aid: 'A000000003000000', lifecycle: 0x0f, privileges: fromHex('9E') },
    ]);
    expect(parseStatus('load-files', 'legacy', fromHex('07A00000015153500100'))).toMatchObject([
      { aid: 'A0000001515350', lifecycle: 0x01 },
    ]);
  });

  it('a card explained step by step (chenpengcong/blog, issue 31; key 00112233…)', () => {
    const key = fromHex('00112233445566778899AABBCCDDEEFF');
    const keys = deriveSessionKeys(alike(key), { scp: '02', sequenceCounter: fromHex('0000') });
    expect(toHex(keys.enc)).toBe('9EAC5B939B1D2A6643FD9D31498B4F5A');
    const challenges = [fromHex('1234567891234567'), fromHex('0000'), fromHex('B17EECA5CEB9')] as const;
    expect(toHex(scp02Cryptograms(keys.enc, ...challenges).card)).toBe('0D4AC851271C3C0D');
  });
});

describe('SCP03', () => {
  it('a card with i = 10 (issue 98): session keys and both cryptograms, and its first challenge', () => {
    const hostChallenge = fromHex('C81ED3B6B3DEF556');
    const cardChallenge = fromHex('86C8BD65FA1044EE');
    const keys = deriveSessionKeys(alike(DEFAULT), { scp: '03', hostChallenge, cardChallenge });
    expect(toHex(keys.enc)).toBe('3D991C5571391EB5BEF93DB2A4FD13D8');
    expect(toHex(keys.mac)).toBe('9BAB6C2C1EFEAC6E4F3B214ABABAC3B1');
    const { card, host } = scp03Cryptograms(keys.mac, hostChallenge, cardChallenge);
    expect([card, host].map(toHex)).toEqual(['CF4A8EE6E34A4321', 'DC79BEA879C62D44']);
    expect(toHex(predictCardChallenge(DEFAULT, fromHex('000001'), toAid('A000000151000000')))).toBe(
      toHex(cardChallenge),
    );
  });

  it('a secure element with i = 00 (SE050, NXP’s forum; the session MAC key as posted)', () => {
    const answer = parseInitializeUpdate(
      fromHex('900313470000432023160B030005437D4E3C213D20C4D889C1270264C4'),
    );
    const mac = fromHex('5CAE32DEA3A3615E2AAE308D742277E0');
    const { card } = scp03Cryptograms(mac, fromHex('1122334455667788'), answer.cardChallenge);
    expect(toHex(card)).toBe(toHex(answer.cardCryptogram));
  });

  describe('an Oberthur card with AES-256 keys under KDF3 (issues 113 and 114)', () => {
    const master = fromHex('808CD8F1E4850B13DB50DCAA102C85DC6D877437C0D97A0C537196577D508852');
    const data = fromHex('149480576000078C0100');
    const cardKey = (number: number) =>
      concat(
        ...[1, 2].map((block) =>
          new AesKey(master).cmac(concat(Uint8Array.of(block, 0, 0, 0, number, 0), data)),
        ),
      );
    const keys = { enc: cardKey(1), mac: cardKey(2), dek: cardKey(3) };

    it.each([
      ['95C3C91BB179A3BF', '827BBF7447C06D7329DD896EBC4D6DF7000013'],
      ['726FA486419E8424', '5CB17CF9D29E88CC780408C2550282F900001A'],
      ['4D5FED791C9C8A50', 'A77132FC98021BA9D44F6712C878211800001E'],
    ])('host challenge %s', (host, rest) => {
      const answer = parseInitializeUpdate(fromHex(`149480576000078C0100010370${rest}`));
      const { cardChallenge, cardCryptogram } = answer;
      const hostChallenge = fromHex(host);
      const session = deriveSessionKeys(keys, { scp: '03', hostChallenge, cardChallenge });
      expect(toHex(scp03Cryptograms(session.mac, hostChallenge, cardChallenge).card)).toBe(
        toHex(cardCryptogram),
      );
      const counter = answer.scp === '03' ? answer.sequenceCounter : undefined;
      const predicted = predictCardChallenge(keys.enc, counter ?? new Uint8Array(0), toAid('A0000001510000'));
      expect(toHex(predicted)).toBe(toHex(cardChallenge));
    });

    it('tells the counter of its last challenge afterwards, and its keys', () => {
      expect(toHex(parseSequenceCounter(fromHex('C10300001E')))).toBe('00001E');
      expect(
        parseKeyInformation(fromHex('E012C00401018820C00402018820C00403018820')).map(
          ({ components }) => components,
        ),
      ).toEqual(Array.from({ length: 3 }, () => [{ type: 0x88, length: 32 }]));
    });
  });
});

describe('oddities', () => {
  it('card data in itself once more, below China’s root (issue 16), and key information with a byte in front', () => {
    const data =
      '0066336631732F06072A811C86FC6B01600C060A2A811C86FC6B02020101630906072A811C86FC6B03640B06092A811C86FC6B040215';
    expect(parseCardData(fromHex(data))).toEqual({ gpVersion: '2.1.1', protocols: [{ scp: 2, i: 0x15 }] });
    const keys =
      '00E032C00401208010C00402208010C00403208010C0060170A180A080C00401718010C00401018010C00402018010C00403018010';
    expect(parseKeyInformation(fromHex(keys)).map(({ keyVersion }) => keyVersion)).toEqual([
      0x20, 0x20, 0x20, 0x70, 0x71, 1, 1, 1,
    ]);
  });

  it('card data of an eUICC with SCP80 and SCP81, and things beside that are no TLV (issue 152)', () => {
    const data =
      '736E06072A864886FC6B01600B06092A864886FC6B020202630906072A864886FC6B03640B06092A864886FC6B048000640B06092A864886FC6B040255640B06092A864886FC6B048107650AAACAADDEDFEDACADEEEE6618060A2B060104012A026E0103060A5354333349314D320202';
    expect(parseCardData(fromHex(data))).toEqual({ gpVersion: '2.2', protocols: [{ scp: 2, i: 0x55 }] });
  });

  it('all entries in one object (sysmoUSIM-SJS1; issue 293)', () => {
    const applications = parseStatus(
      'applications',
      'tlv',
      fromHex(
        'E3818E4F10A0000000090001FFFFFFFF89000000009F700107C501044F10A0000000090001FFFFFFFF89000000019F700107C501004F10A0000000090001FFFFFFFF89B00010019F700107C501004F10FF434E525810400402030000B00011009F700107C501004F10A0000000871002FFFFFFFF89070900009F700107C501004F0801020304050607089F700107C50100',
      ),
    );
    expect(applications.map(({ aid, privileges }) => [aid, toHex(privileges ?? new Uint8Array(0))])).toEqual([
      ['A0000000090001FFFFFFFF8900000000', '04'],
      ['A0000000090001FFFFFFFF8900000001', '00'],
      ['A0000000090001FFFFFFFF89B0001001', '00'],
      ['FF434E525810400402030000B0001100', '00'],
      ['A0000000871002FFFFFFFF8907090000', '00'],
      ['0102030405060708', '00'],
    ]);
    const files = parseStatus(
      'load-files-and-modules',
      'tlv',
      fromHex(
        'E381924F0DA0000000090001FFFFFFFF89009F7001018410A0000000090001FFFFFFFF8900000000840FA0000000090001FFFFFFFF89B000104F0DA0000000871002FF49FFFF89009F7001018410A0000000871002FF49FFFF89040B00004F0AFF434E525810400402039F7001018410FF434E525810400402030000000000004F0501020304059F70010184080102030405060708',
      ),
    );
    expect(files.map(({ aid, modules }) => [aid, modules.length])).toEqual([
      ['A0000000090001FFFFFFFF8900', 2],
      ['A0000000871002FF49FFFF8900', 1],
      ['FF434E52581040040203', 1],
      ['0102030405', 1],
    ]);
  });

  it('a load file that is named with nothing (issue 392)', () => {
    const [isd] = parseStatus(
      'issuer-security-domain',
      'tlv',
      fromHex('E3234F08A0000000030000009F700101C5039EFE80C400CE020000CC08A000000003000000'),
    );
    expect(isd).toEqual({
      aid: 'A000000003000000',
      lifecycle: 1,
      privileges: fromHex('9EFE80'),
      modules: [],
      version: fromHex('0000'),
      securityDomain: 'A000000003000000',
    });
  });
});

const DEFAULT = fromHex('404142434445464748494A4B4C4D4E4F');

const alike = (key: Uint8Array) => ({ enc: key, mac: key, dek: key });
