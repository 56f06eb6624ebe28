/**
 * Dialogues of real cards that are published with the tests of GlobalPlatform's C library and gpshell (kaoh/globalplatform,
 * scp02Test.c, scp03Test.c, getDataTest.c), as facts: what was sent and what the card said. Keys 40…4F, unless given.
 */
import { describe, expect, it } from 'vitest';
import { getStatus, parseCardData, parseInitializeUpdate, parseStatus } from './answers.ts';
import type { ChannelContext, SecureChannel } from './channels.ts';
import { ChannelStateError, deriveSessionKeys, openChannel, predictCardChallenge } from './channels.ts';
import { decodeCommand, decodeResponse, deleteObject, fromHex, toAid, toHex } from './commands.ts';

describe('a card with SCP02, i = 15', () => {
  it('lists its load files under C-MAC', async () => {
    const channel = await open({
      scp: '02',
      i: 0x15,
      securityLevel: 0x01,
      hostChallenge: 'D5AD539A60CA5E72',
      answer: '000074746E6E6E6262620102069FAA2A0591E73367DD78794D04315E',
    });
    expect(toHex(channel.externalAuthenticate())).toBe('84820100107C799B3C771DBAE6BEF49310977617BA');
    expect(toHex(channel.wrap(getStatus('load-files')))).toBe('84F220020A4F00BB6E71C0EFCFCF0D00');
    const answer =
      'E30D4F07A00000000353509F700101E30B4F05A0000000049F700101E30B4F05325041592E9F700101E30B4F05F0000711809F700101E30C4F06A000000421209F700101E30D4F07D0D1D2D3D4D5019F700101';
    const files = parseStatus('load-files', 'tlv', fromHex(answer));
    expect(files.map((file) => file.aid)).toEqual([
      'A0000000035350',
      'A000000004',
      '325041592E',
      'F000071180',
      'A00000042120',
      'D0D1D2D3D4D501',
    ]);
    expect(files.every((file) => file.lifecycle === 1)).toBe(true);
  });

  /** Two DELETE, INSTALL [for load], two LOAD, INSTALL [for install and make selectable]. */
  const sent = [
    '84E4008018BC146FA0403BE4BAD3BC089E4ABD8674DA7EFEA21047B85800',
    '84E4008018C2748C1669FAFC0E20C5253680388A4A49C9A6038D77B45700',
    '84E60200280839B761AA201C218FD6607C56803CFD2D098CBAA9946976EEFAE3F210038EB4965D6E04EDEF801700',
    '84E80000F8562EFDC9F22082A5184831F1DA6A0F495C5DF0FD71E8014A2B94EA81069FB630346197CDF1C3BD9CDBDD9513BFE6FE7992730FCF2089019D1374DA1021BD74E2085B806B8DA57431FF008406E1C695F2E27E0C2A554E01047B9B36F4058CFC1C2FB8D0A45B01C626DF5CB2509436283BE22B9E7750B3B7F36E29E3C97C69533B35C2DBEF13904D06E96BEBB6FA38D3E7EB7EB9170F3004824F5A32278AE7CBC3E591BA0C79B090FBD8038B60AC5F83E4E250B32AD5B92768E775AA974A4FAFC81356FA333D5AB4FAF1A0056E08420AF95D18CA0DF726BA560C5C340CCA81A1BEA294AAFE3AED250EF6865AA2D3F11D058FDFE5EE7622AE19',
    '84E88001787FFE538F755D612CEE738FA68E177E8E146E66EF2A840387F7086C1CA8659C9F985585E11001A12D4940CB3EF200DFEC9EC7FB59CADED4A7F82EDA5BE808552A3CD3B65D41F9F61A23E6FDA2C1BF2493F4929950FA62030FF023B34398247A2E01BBF949E819B5EEA117DC6E0D91D40D85ABDE0BC2A76D8600',
    '84E60C00300839B761AA201C21EDAE7D003F76B62164B363AF56A2C7FE12AEF9FDC790DFC8FFE6B0346E9BF02674684247652F109A00',
  ];
  const opening: Opening = {
    scp: '02',
    i: 0x15,
    securityLevel: 0x03,
    hostChallenge: 'EBAA9E53C696281B',
    answer: '000074746E6E6E626262010206A15086BBEE58F467149061DA4B6EAE',
  };

  it('is loaded under C-MAC and C-DECRYPTION', async () => {
    const channel = await open(opening);
    expect(toHex(channel.externalAuthenticate())).toBe('848203001005814C116071EB67D8BA9D9879454564');
    for (const [at, aid] of ['D0D1D2D3D4D50101', 'D0D1D2D3D4D501'].entries())
      expect(toHex(channel.wrap(deleteObject(toAid(aid), true)))).toBe(sent[at]);
    // What follows came from the same session: each is the next command of it, whole and in this order.
    for (const command of sent.slice(2)) channel.replay(fromHex(command));
    channel.close();
  });

  it('any other order, or a changed bit, is no command of the session', async () => {
    for (const wrong of [sent[1], sent[2], `${sent[0]?.slice(0, -4)}0000`, '84E4008004', '80E40080']) {
      const channel = await open(opening);
      channel.externalAuthenticate();
      expect(() => channel.replay(fromHex(wrong ?? ''))).toThrow(ChannelStateError);
      expect(() => channel.replay(fromHex(sent[0] ?? ''))).toThrow('the channel is closed');
    }
  });
});

describe('a card with SCP03, i = 70', () => {
  const opening: Opening = {
    ...JCOP,
    scp: '03',
    i: 0x70,
    securityLevel: 0x03,
    hostChallenge: 'DA2390D378D94B0A',
    answer: '00000000000000000000300370A7EFE2BFDB3A27A6EAE3FF0EA0D17524000085',
  };
  const sent = [
    '84F2200218705C4D16C7BAC5496AEE0ED9963222455472F3CFAC97BCCA00',
    '84F240021834AF0FEDDAE7C07308600587E1B1E6EC87811520D9A6AAAD00',
    '84F28002188D6CFE9EB359EACB9594D8EC161E45C10ED0138E34A10BF300',
    '84F21002183D98B6DE9CBF3905EAE4FAF5E141C58DAB7013D1076745C700',
  ];
  const KINDS = ['load-files', 'applications', 'issuer-security-domain', 'load-files-and-modules'] as const;

  it('lists everything under C-MAC and C-DECRYPTION', async () => {
    const channel = await open(opening);
    expect(toHex(channel.externalAuthenticate())).toBe('8482030010953EEC5B4A81BF393ADC2ADFD638827A');
    expect(KINDS.map((kind) => toHex(channel.wrap(getStatus(kind))))).toEqual(sent);
  });

  it('in states of two bytes, with versions, domains and services that are not told', () => {
    const [isd] = parseStatus(
      'issuer-security-domain',
      'tlv',
      fromHex(
        'E3324F08A0000001510000009F70020F00C50382FC80C407A0000001515350CE020100CC08A000000151000000EA058003008000',
      ),
    );
    expect(isd).toEqual({
      aid: 'A000000151000000',
      lifecycle: 0x0f,
      privileges: fromHex('82FC80'),
      modules: [],
      loadFile: 'A0000001515350',
      version: fromHex('0100'),
      securityDomain: 'A000000151000000',
    });
    const applications = parseStatus(
      'applications',
      'tlv',
      fromHex(
        'E33E4F10A0000005591010FFFFFFFF89000010009F70013FC50380C000C407A0000001515350CE020100CC10A0000005591010FFFFFFFF8900000100EA028000E3394F10A0000000871002FF01FF4189000001009F70020700C503000000C40CA000000095000000004E0001CE020100CC05A000000151EA028000E3304F09A000000559101000019F70020700C503000000C407A0000001515350CE020100CC08A000000151000000EA028000E3304F09A000000559101000029F70020700C503000000C407A0000001515350CE020100CC08A000000151000000EA028000',
      ),
    );
    expect(applications.map(({ aid, lifecycle }) => [aid, lifecycle])).toEqual([
      ['A0000005591010FFFFFFFF8900001000', 0x3f],
      ['A0000000871002FF01FF418900000100', 0x07],
      ['A00000055910100001', 0x07],
      ['A00000055910100002', 0x07],
    ]);
  });

  it.each([
    [
      '9BD6BF878FB8E991',
      '000000000000000000003003703C80C2CC87EB3A35E4EDBA35E629C33600001E',
      '848203001023EBFEDC579D22CDCDB6A25A5FF7891F',
    ],
    [
      'A6D40AEC55FE7986',
      '00000000000000000000300370B6E362D0F90F8101C34B7B21A7455320000025',
      '84820300103D958B36BB38AE5896A559345F81471A',
    ],
  ])('authenticates with host challenge %s', async (hostChallenge, answer, sentThen) => {
    const channel = await open({ ...opening, hostChallenge, answer });
    expect(toHex(channel.externalAuthenticate())).toBe(sentThen);
  });

  it('deletes an application', async () => {
    const channel = await open({
      ...opening,
      hostChallenge: 'B2BDE1A2DC66BD56',
      answer: '00000000000000000000300370C40932A6FEFEAEB2E127185170F45FCA000015',
    });
    expect(toHex(channel.externalAuthenticate())).toBe('848203001059D54D932423D29F6313C970875F8C2F');
    // gpshell sends this one without Le.
    const { le: _le, ...command } = deleteObject(toAid('A00100015141434C'), true);
    expect(toHex(channel.wrap(command))).toBe('84E400801829F06AEC3180B3EFE91FF662310B945DE0D5FE66AD67A5B6');
  });

  it('counts its challenges', () => {
    for (const [counter, challenge] of [
      ['000085', 'A7EFE2BFDB3A27A6'],
      ['00001E', '3C80C2CC87EB3A35'],
      ['000025', 'B6E362D0F90F8101'],
      ['000015', 'C40932A6FEFEAEB2'],
    ] as const) {
      const predicted = predictCardChallenge(fromHex(JCOP.enc), fromHex(counter), toAid('A000000151000000'));
      expect(toHex(predicted)).toBe(challenge);
    }
  });
});

describe('a card with AES-192 and SCP03, i = 10', () => {
  it('is listed, and its challenge foretold', async () => {
    const channel = await open({
      scp: '03',
      i: 0x10,
      securityLevel: 0x03,
      hostChallenge: '4157115CAD7D2FE7',
      answer: '00008301A8186727A822020310726B1E22EED4F4BBAB21001BFD4B6F02000012',
      enc: AES_192,
    });
    expect(toHex(channel.externalAuthenticate())).toBe('84820300109B126D1B1557297F3C06766CA9ACBD27');
    expect(toHex(channel.wrap(getStatus('load-files')))).toBe(
      '84F2200218110C222888859059700E5D42AD65F41299B0BFFC03BF79A800',
    );
    const challenge = predictCardChallenge(fromHex(AES_192), fromHex('000012'), toAid('A000000151000000'));
    expect(toHex(challenge)).toBe('726B1E22EED4F4BB');
  });
});

describe('an applet with SCP03, i = 70, everything', () => {
  const plain = `80400000A5${'48656C6C6F20576F726C64'.repeat(15)}`;
  const wrapped = [
    '84400000B80422E602DD973125102DDE05875CA115C04D811A40593DB9D9480927CC9A249BD118FB6C674A86BF70D0CD898153A438DAC4CD302B74876D718481FCDB9D39944453BEBD28832300C99FB8035D2DFF3E3CB3F5DAD568330127929207A179226EB5C6C52341A297CB2C8F25E481F1CE6EF6EADD2410E70EB268AF48D29CB20CFCB8448DE83235ADA96A5EEED379C0701924707DA111DBB9039ACF8E19F1CE62AA4EF26D7C871E842ED815245F7F2D9A9A87D9BDA54B188DCB',
    '84400000B803C6D93C9A2EBE310E2215CEAC64C9CB8A03A89657272AE001E398FB7A7F42E02210672D0927DBE2BF6F80AA322D948C2743EFBA75EC51FD9BC5E6B4306371916CC50B0F341177FB99091F560A37C88D1A387443792E128A3A04118D0EA9F8EC989012FE4E097440411852373B4470851AC573A0B15262E506B34F771DCC53A24E91FAD37FE67454FAAFEFCC3E2F7141DCD7174D88933629E632C1CFDD5D1D30017D0CA14FE32A022F064C93EB4769F5A497BE036C5A563F',
    '84400000B8982E6E5F120796589037A751431F835CCF17C5A13CB4D7F5E0948CF48538FEDCD6F2F0A54F813E8BA755DFE22F7B847BF6A8BBDB1FEEC531B44D01B92BD55EEAA5B55B770AF293E4995E14E3076A40A89ED21A6C2F3772839E6E9A31FAB4B493AB31FE1D951AD11D9924DF15C1C33A5F3C90D168E2A78437ED40601B5289C56F2F020C78744C8C22141A2FCFFADB4B4FDE504EFABA6DD9D5EAD7E0F7D57B58F97C28DACD4C9E93052A0F16EFDF2A41DDFE373917C351B9B8',
  ];
  const answers = [
    '20F075017DE9F58A1E3D7567CBE71140AC0EBFA376881449A0665992BB997C6A145AC6BE3B642931C2652F62B85532B45689EB3E37602E6276B72BABE6A0FF00BEB02473EF22792A37F70D17F7715F103528CC6122880FC86AE75E5F085F1B37492FF33DD148162DAFA203D973F3A4579F8B547FACB14034641FC817BBDF119A9EB0F24DED4F9CE3640B46189EE2138B405446FA4F154D4F9600B288299642BEF5A387B71922A0CAD4D77D9596E8F417A6DB42CFE2C1081E9000',
    'EFA214CD7DE37F299690265ECDBF210361CBC87EAA227C7A5FC1C984A8DFFAF82B6C1856E57C399FA46AA13F9A7150F76207BCBF7421EFE6424D1FCFEF090F63CDF6C1F21F951E286D6A237843B4E1AD070D7FB16C883D052338F19D5C5E96135398F6251E5D48984EBE528E42A93CBD880D67D6631BCCEF13C3D54572C77CEAD84D26F72A4A66FA13DDCFA6C1BF8F5CF4AB151D722B3DBE86841F30BA15E4B90834B122257913FAA6F09D0E540E114817C1ED9F9D2F7AD39000',
    '0E625EA4492C2253DF239C271E0DEA22DDB136461742E6AD02FA9710588655A17B9C9C115076E00EF858C84662827AF5B90CE2374A575A7208E708BB3D01F655A996BF10F6077F61FBD71927E352215CE9348429FDAB03A3E6EEC5C71556A3C42B98240D224314638608CFDCFE5847BB2811948956F9204BC69085A034F33982E75BEBDEB71B59665FCEA9EDD27A85ABE908171D68E2FA639E2ABA02A27CD21E3A37EE831A1C1C1CF6ECD1B4C744EBD250EA42072B5300789000',
  ];
  const opening: Opening = {
    scp: '03',
    i: 0x70,
    securityLevel: 0x33,
    hostChallenge: '2C8130E574247B1B',
    answer: '00010203040506070809000370A5874C57119B976BF94879E36F29E039000001',
  };

  it('echoes, and each answer is deciphered and its R-MAC checked', async () => {
    const channel = await open(opening);
    expect(toHex(channel.externalAuthenticate())).toBe('8482330010A75F1CD48F3B93DFA57E690937921F92');
    expect(wrapped.map(() => toHex(channel.wrap(decodeCommand(fromHex(plain)))))).toEqual(wrapped);
    for (const answer of answers)
      expect(toHex(channel.unwrap(decodeResponse(fromHex(answer))).data)).toBe(plain.slice(10));
  });

  it('the same where only the commands as sent are known', async () => {
    const channel = await open(opening);
    channel.externalAuthenticate();
    for (const [at, command] of wrapped.entries()) {
      channel.replay(fromHex(command));
      const { data } = channel.unwrap(decodeResponse(fromHex(answers[at] ?? '')));
      expect(toHex(data)).toBe(plain.slice(10));
    }
  });
});

// {globalPlatform 2 v}, v the arcs of the version (GPC 2.3.1 §H.2): 2 2 3 is version 2.3.
describe('what such cards say without keys', () => {
  it.each([
    [
      '2.3',
      [[3, 0x70]],
      '664D734B06072A864886FC6B01600B06092A864886FC6B020203630906072A864886FC6B03640B06092A864886FC6B040370650D060B2A864886FC6B0507020000660C060A2B060104012A026E0103',
    ],
    [
      '2.3',
      [[2, 0x55]],
      '664D734B06072A864886FC6B01600B06092A864886FC6B020203630906072A864886FC6B03640B06092A864886FC6B040255650D060B2A864886FC6B0507020000660C060A2B060104012A026E0103',
    ],
    [
      '2.3.1',
      [
        [3, 0x60],
        [0x11, 3462],
      ],
      '663F733D06072A864886FC6B01600C060A2A864886FC6B02020301630906072A864886FC6B03640B06092A864886FC6B040360640C060A2A864886FC6B04119B06',
    ],
  ] as const)('card data: version %s', (gpVersion, protocols, data) => {
    expect(parseCardData(fromHex(data))).toEqual({
      gpVersion,
      protocols: protocols.map(([scp, i]) => ({ scp, i })),
    });
  });
});

const JCOP = { enc: 'F995D0A069335C7DF42E590317FFEA6D', mac: '58563362EC5A4541ABCD32B34B1EAE7D' };

const DEFAULT = '404142434445464748494A4B4C4D4E4F';

const AES_192 = 'DE2A3629CBC24E8D8869E82C8B4C0D874D88166B6F8A1C12';

interface Opening {
  readonly scp: '02' | '03';
  readonly i: number;
  readonly securityLevel: number;
  readonly hostChallenge: string;
  readonly answer: string;
  readonly enc?: string;
  readonly mac?: string;
}

function open({ hostChallenge, answer, enc = DEFAULT, mac = enc, ...rest }: Opening): Promise<SecureChannel> {
  const keys = { enc: fromHex(enc), mac: fromHex(mac), dek: fromHex(mac) };
  const request = {
    ...rest,
    hostChallenge: fromHex(hostChallenge),
    response: parseInitializeUpdate(fromHex(answer)),
  };
  return openChannel(request, {
    sessionKeys: (context: ChannelContext) => Promise.resolve(deriveSessionKeys(keys, context)),
  });
}
