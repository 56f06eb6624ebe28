/** Published values, against the card's own cryptography. */
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../../app/card/bytes.ts';
import { scp02Challenge, scp02SessionKey, startScp02 } from '../../../app/simulator/channel/scp02.ts';
import { scp03Challenge, startScp03 } from '../../../app/simulator/channel/scp03.ts';
import {
  aesCmac,
  desEcbDecrypt,
  desEcbEncrypt,
  desMac,
  fullDes3Mac,
  keyCheckValue,
} from '../../../app/simulator/crypto.ts';
import { hex } from './host.ts';

describe('single and triple DES', () => {
  it.each([
    ['0102030405060708', 'BB83BFF300000000', '74B0047DD681D96C'],
    ['39'.repeat(16), '9B361B26CB9FA8C8', '97F557D8EDE97F95'],
    ['3F01'.repeat(8), 'F9CABA9100008000', '03015BEA347EA231'],
  ])('%s over %s', (key, data, expected) => {
    const cipher = desEcbEncrypt(hex(key), hex(data));
    expect(toHex(cipher)).toBe(expected);
    expect(toHex(desEcbDecrypt(hex(key), cipher))).toBe(data);
  });

  it('MAC of 74 bytes under a 16-byte key (ISO 9797-1 algorithm 3)', () => {
    const text = 'CHENHAO-PC|BFEBFBFF000306C3~9BP0PD2CN7016366I0043|20240111|20250101|8191|0';
    const mac = desMac(hex('5775204D69616F6A756E404726444311'), new TextEncoder().encode(text));
    expect(toHex(mac)).toBe('4089819D3D991CC7');
  });

  it('AES key enciphered under an SCP02 DEK, and its check value', () => {
    const cipher = desEcbEncrypt(hex('C61DF24D2C9A770E32E969984B5B7074'), DEFAULT_KEY);
    expect(toHex(cipher)).toBe('B23034FA4329DE9AD8E91583618813B3');
    expect(toHex(keyCheckValue('aes', DEFAULT_KEY))).toBe('504A77');
  });

  it('check value of the default 3DES key', () => {
    expect(toHex(keyCheckValue('des3', DEFAULT_KEY))).toBe('8BAF47');
  });
});

describe('AES-CMAC (NIST SP 800-38B, examples D.1 to D.3)', () => {
  const message = hex(
    '6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E5130C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710',
  );
  const aes128 = '2B7E151628AED2A6ABF7158809CF4F3C';
  const aes192 = '8E73B0F7DA0E6452C810F32B809079E562F8EAD2522C6B7B';
  const aes256 = '603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4';
  it.each([
    [aes128, 0, 'BB1D6929E95937287FA37D129B756746'],
    [aes128, 16, '070A16B46B4D4144F79BDD9DD04A287C'],
    [aes128, 40, 'DFA66747DE9AE63030CA32611497C827'],
    [aes128, 64, '51F0BEBF7E3B9D92FC49741779363CFE'],
    [aes192, 0, 'D17DDF46ADAACDE531CAC483DE7A9367'],
    [aes192, 40, '8A1DE5BE2EB31AAD089A82E6EE908B0E'],
    [aes256, 0, '028962F61B7BF89EFC6B551F4667D983'],
    [aes256, 64, 'E1992190549F6ED5696A2C056C315410'],
  ])('key %s, %i bytes', (key, length, mac) => {
    expect(toHex(aesCmac(hex(key), message.slice(0, length)))).toBe(mac);
  });
});

describe('SCP02 of real cards under the default key', () => {
  it('INITIALIZE UPDATE: cryptogram of a published answer', () => {
    const answer = hex('00007295713236006868FF0200088B320EC60E9BF5A6DBF1B3FEB875');
    const [counter, challenge] = [answer.slice(12, 14), answer.slice(14, 20)];
    const enc = scp02SessionKey(DEFAULT_KEY, 0x82, counter);
    const input = concat(hex('0102030405060708'), counter, challenge);
    expect(fullDes3Mac(enc, input)).toEqual(answer.slice(20));
    // That card's challenge is the well-known pseudo-random one, over the AID A000000003000000.
    const sMac = scp02SessionKey(DEFAULT_KEY, 0x01, counter);
    expect(scp02Challenge(sMac, hex('A000000003000000'))).toEqual(challenge);
  });

  /** GlobalPlatformPro, issue 218: a card with R-MAC, its whole dialogue. */
  it('a dialogue with R-MAC', () => {
    const keys = {
      version: 0x20,
      enc: DEFAULT_KEY.slice(),
      mac: DEFAULT_KEY.slice(),
      dek: DEFAULT_KEY.slice(),
    };
    const { answer, open } = startScp02({
      keys,
      i: 0x75,
      hostChallenge: hex('4261A2F44EEC57EB'),
      sequenceCounter: 0x46,
      aid: hex('A000000151000000'),
      random: noRandom,
    });
    expect(toHex(answer)).toBe('20020046A58399EA65DDB9E2781A25689C71');
    const channel = open(hex('FAE81DD218F60A30A0F03ED2002B63B2'), 0x13);
    const data = hex('10A00000000053594E4A4F4E4553535344000A53594E4A4F4E45530000000000');
    const plain = { cla: 0x80, ins: 0xe6, p1: 0x10, p2: 0x00, data };
    const response = channel.wrap({ data: hex('00'), sw: 0x9000 }, plain);
    expect(toHex(response.data)).toBe('006DFCFE5065740D30');
  });

  /** pySim's recorded dialogue with a sysmocom card, key version 70. */
  it('C-MAC in all four cases of a command', () => {
    const { open } = startScp02({
      keys: {
        version: 0x70,
        enc: hex('100102030405060708090A0B0C0D0E0F'),
        mac: hex('101102030405060708090A0B0C0D0E0F'),
        dek: hex('102102030405060708090A0B0C0D0E0F'),
      },
      i: 0x15,
      hostChallenge: hex('40A62C37FA6304F8'),
      sequenceCounter: 1,
      aid: hex('A000000003000000'),
      random: () => hex('6B4524ABEE7C'),
    });
    const channel = open(hex('BA6961667737C5BCEBECE14C7D6A4376'), 0x01);
    const unwrapped = (p1: number, p2: number, ins: number, data: string) =>
      toHex(channel.unwrap({ cla: 0x84, ins, p1, p2, data: hex(data) }).data ?? new Uint8Array(0));
    expect(unwrapped(0x20, 0x02, 0xf2, '14DB34FA4341DCA8')).toBe('');
    expect(unwrapped(0x00, 0x66, 0xca, '55ED7C5FF069512B')).toBe('');
    expect(unwrapped(0x20, 0x02, 0xf2, '4F0212345C054F9F70C58FC1B380C4228AF8')).toBe('4F0212345C054F9F70C5');
    expect(unwrapped(0x80, 0x02, 0xf2, '4F003B95F09317DE6A4E')).toBe('4F00');
  });
});

/** Recorded with a real eUICC (its ISD-R), i = 70, published with pySim's tests. */
const DIALOGUES = [
  {
    name: 'AES-128, level 11',
    repeat: 1,
    counter: 2,
    level: 0x11,
    host: 'B13E5F938FC108C4',
    answer: '3003703EB51047495B249F66C484C1D2EF1948000002',
    authenticate: '7D5F5826A993EBC89EEA24957FA0B3CE',
    command: 'BF3E035C015A558D036518A28297',
    response: 'BF3E125A1089882119900000000000000000000005971BE68992DBBDFA',
    cases: [
      '63A63F8959827FB2',
      'A0C6A4A74166F7CE',
      '4F0212345C054F9F70C52249B50272656536',
      '4F00E91443F6DCE6B8ED',
    ],
  },
  {
    name: 'AES-128, level 33',
    repeat: 1,
    counter: 3,
    level: 0x33,
    host: 'FDF38259A1E0DE44',
    answer: '3003703B1ACA81E821F219081CDC01C26B372D000003',
    authenticate: '8C36F96BCC00724A4E13AD591D7DA3F0',
    command: '267A85DFE4A98FCA6FB0527E0DFECCE4914E40401433C87F',
    response: 'F3BA2B1013AA6224F5E1C138D71805C569E5439B47576260B75FC021B25097CB2E68F8A0144975B9',
    cases: [
      'AC6A59024BED84CC',
      '409912AD8FB7AED0',
      '5F3DAFC3AC14C381536A488BF44E06D056DF9D74DBD21E5A',
      '65165105BE3373347D0424D4400AF2AC393F569EC779389E',
    ],
  },
  {
    name: 'AES-192, level 11',
    repeat: 1.5,
    counter: 3,
    level: 0x11,
    host: '7396430B768B085B',
    answer: '3103708CFC23522FFDBF1E5DF5542CAC8FD866000003',
    authenticate: '2145ED30B146F5DB252FB7E624CEC244',
    command: 'BF3E035C015AFF42CF801D143944',
    response: 'BF3E125A1089882119900000000000000000000005162FBD33E04940A9',
    cases: [
      '4584E4F6784811EE',
      '937776EBE190FA30',
      '4F0212345C054F9F70C59A52BDDF3040368C',
      '4F009804B11411F7393D',
    ],
  },
  {
    name: 'AES-192, level 03',
    repeat: 1.5,
    counter: 1,
    level: 0x03,
    host: '69C65DA8202BF19F',
    answer: '310370B570A67BE38446717729D6DD3D2EC5B1000001',
    authenticate: '65DF4F1A356A887905466516D9E5B7C1',
    command: 'D2C6FB477C5D4AFE4FD4D21F17EFF10D3578EC1774A12A2D',
    response: 'BF3E125A1089882119900000000000000000000005',
    cases: [
      '964E188F0B1BB697',
      'F0820035A41D3E18',
      '06B076ED452CD1FA84F77F5C08A146AA77A9286757DEA791',
      'D06527E39222DCE091FABDB8E9B898417A67A6852D3577DB',
    ],
  },
  {
    name: 'AES-192, level 33',
    repeat: 1.5,
    counter: 2,
    level: 0x33,
    host: '9B3F2EEF0E8C9374',
    answer: '310370F6BB305A15BAE1A68F79FB08212FBED7000002',
    authenticate: '9100BC22D58B45B86A26365CE39FF3CF',
    command: '8F7F946C84F70D17994BC6E8791251BB1BB1BF02CF8DE589',
    response: 'C05176C1B6F72AAE50C32CBEE63B0E95998928FD4DFB2BE9F27FFDE8C8476F5909B4805CC4039599',
    cases: [
      'D5D97754B6B3D2BA',
      '516C82B8E30ADBEB',
      'CC247F4761E6944277A4E0D6E32E44025B1E31537E2FC668',
      'BA22B63D509BEF5D093B43E5EAED03ED23144AB2D9CB51DE',
    ],
  },
  {
    name: 'AES-256, level 03',
    repeat: 2,
    counter: 1,
    level: 0x03,
    host: 'C6066990FC426E1D',
    answer: '3203708682CD81BBD8919F2DE3F2664581F118000001',
    authenticate: '77C493B632EDADAF865A1E64ACC07CE9',
    command: '3DDAA60594963BEFAADA3525B492EDE23C2AB2C1CE3AFE44',
    response: 'BF3E125A1089882119900000000000000000000005',
    cases: [
      '480DDC8E419DA38D',
      '3E9D6A6C0B2D7320',
      '3EBFEF2DA8B04AF2A85F491F299B76973DF76FF08A4031BE',
      '783FFF80990F5585B1055010EA95094A26E4A8F1EF4B18E1',
    ],
  },
  {
    name: 'AES-256, level 11',
    repeat: 2,
    counter: 3,
    level: 0x11,
    host: '11666D57866C6F54',
    answer: '32037053EA8847EFA7674E41498A4D66CF0DEE000003',
    authenticate: '2F2AD190EFF2FAFC4908996D1CEBD310',
    command: 'BF3E035C015AF4B680372542B59D',
    response: 'BF3E125A10898821199000000000000000000000058012DD7F01F1C4C1',
    cases: [
      'D618B7DA68D5FE52',
      '8F3E055DB23AD5E5',
      '4F0212345C054F9F70C5B6E15CC42404915E',
      '4F00AA124AA74AFE7F75',
    ],
  },
  {
    name: 'AES-256, level 33',
    repeat: 2,
    counter: 2,
    level: 0x33,
    host: '97B2055FE58599FD',
    answer: '320370A8439A22CEDF045FA9F1903B2834F26E000002',
    authenticate: '508A0FD959D2E547C6B33154A6BE2057',
    command: '7A5EF717EAF1E135AE92FE54429D0E465DECDA65F5FE5AEA',
    response: 'EA90DBFA648A67C5EB6ABC57F8530B97D0CD5647C5E8732016B55203B078DD2ACE7F8BC5D1C1CD99',
    cases: [
      'BCC5C17275545D93',
      '04806ABA9D543BB6',
      '717222491556EC81A45F49CE48BE33320024801A1C4CB0E0',
      '561F105BCCD3A1642904B251CCC1228BEB80A82370A86370',
    ],
  },
];

describe('SCP03 of a real card', () => {
  const staticKey = (first: string, repeat: number) => {
    const half = Array.from({ length: 16 }, (_, i) => `${first}${i.toString(16)}`).join('');
    return hex((half + half).slice(0, 32 * repeat));
  };
  it.each(DIALOGUES)('$name', (dialogue) => {
    const { answer, open } = startScp03({
      keys: {
        version: Number.parseInt(dialogue.answer.slice(0, 2), 16),
        enc: staticKey('0', dialogue.repeat),
        mac: staticKey('1', dialogue.repeat),
        dek: staticKey('2', dialogue.repeat),
      },
      i: 0x70,
      hostChallenge: hex(dialogue.host),
      sequenceCounter: dialogue.counter,
      aid: hex('A0000005591010FFFFFFFF8900000100'),
      random: noRandom,
    });
    expect(toHex(answer)).toBe(dialogue.answer);
    const channel = open(hex(dialogue.authenticate), dialogue.level);
    const unwrap = (ins: number, p1: number, p2: number, data: string) =>
      channel.unwrap({ cla: 0x84, ins, p1, p2, data: hex(data) });
    const plain = unwrap(0xe2, 0x91, 0x00, dialogue.command);
    expect(toHex(plain.data ?? new Uint8Array(0))).toBe('BF3E035C015A');
    const response = { data: hex('BF3E125A1089882119900000000000000000000005'), sw: 0x9000 };
    expect(toHex(channel.wrap(response, plain).data)).toBe(dialogue.response);
    const [case1 = '', case2 = '', case3 = '', case4 = ''] = dialogue.cases;
    expect(unwrap(0xf2, 0x20, 0x02, case1).data).toBeUndefined();
    expect(unwrap(0xca, 0x00, 0x66, case2).data).toBeUndefined();
    expect(unwrap(0xf2, 0x20, 0x02, case3).data).toEqual(hex('4F0212345C054F9F70C5'));
    expect(unwrap(0xf2, 0x80, 0x02, case4).data).toEqual(hex('4F00'));
  });

  it('the same challenges from the sequence counter alone', () => {
    const aid = hex('A0000005591010FFFFFFFF8900000100');
    const challenge = (counter: string) => toHex(scp03Challenge(staticKey('0', 1), hex(counter), aid));
    expect(challenge('000001')).toBe('30760CD2C47C1DD3');
    expect(challenge('000002')).toBe('3EB51047495B249F');
  });

  it('check values of the keys', () => {
    const kcv = (first: string) => toHex(keyCheckValue('aes', staticKey(first, 1)));
    expect([kcv('0'), kcv('1'), kcv('2')]).toEqual(['C35280', '013808', '840DE5']);
  });
});

const DEFAULT_KEY = hex('404142434445464748494A4B4C4D4E4F');

const noRandom = () => {
  throw new Error('these challenges are not random');
};
