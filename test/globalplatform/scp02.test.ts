/**
 * Published SCP02 dialogues. Sources:
 *  - one INITIALIZE UPDATE of a real card with default keys 40…4F: its cryptogram is recomputed here
 *  - pysim: osmocom/pysim, tests/unittests/test_globalplatform.py (keys 10…, 11…; i = 15)
 *  - nightcode: org.nightcode.javacard, Scp02SessionTest and Scp02ApduChannelTest (keys 40…4F; sessions 0002 to 006D of one
 *    card, the later ones with R-MAC)
 */
import { describe, expect, it } from 'vitest';
import { desCbcMac, retailMac } from '../../app/globalplatform/des.ts';
import { CardCryptogramError, ResponseSecurityError } from '../../app/globalplatform/errors.ts';
import { pad80 } from '../../app/globalplatform/padding.ts';
import { Scp02Messaging, scp02Cryptograms } from '../../app/globalplatform/scp02.ts';
import type { SecurityLevel } from '../../app/globalplatform/security-level.ts';
import { predictScp02CardChallenge } from '../../app/globalplatform/session-keys.ts';
import { desEcb } from '../support/globalplatform/ecb.ts';
import { parseInitializeUpdate } from './answers.ts';
import { ChannelParameterError, deriveSessionKeys, openChannel, type SessionKeyPort } from './channels.ts';
import { decodeCommand, decodeResponse, fromHex, toAid, toHex } from './commands.ts';

describe('a real card with default keys', () => {
  it('proves its keys', async () => {
    await expect(
      openChannel(request('0102030405060708', REAL_CARD, 0x15, 0x01), port()),
    ).resolves.toBeDefined();
  });

  it('is refused when one bit of its cryptogram differs, or under another key', async () => {
    const wrong = `${REAL_CARD.slice(0, -1)}4`;
    await expect(openChannel(request('0102030405060708', wrong, 0x15, 0x01), port())).rejects.toBeInstanceOf(
      CardCryptogramError,
    );
    await expect(
      openChannel(request('0102030405060708', REAL_CARD, 0x15, 0x01), PYSIM.port),
    ).rejects.toBeInstanceOf(CardCryptogramError);
  });

  it.each([
    // The card above, and nightcode's two: their ISDs answer to these AIDs.
    ['0008', 'A000000003000000', '8B320EC60E9B'],
    ['0002', 'A000000151000000', 'D9857D532F04'],
    ['0005', 'A000000003000000', 'BD1A6BE9D3D5'],
  ])('counter %s foretells the challenge of the domain %s', (counter, aid, challenge) => {
    const key = fromHex(DEFAULT_KEY);
    const context = { scp: '02', sequenceCounter: fromHex(counter) } as const;
    const session = deriveSessionKeys({ enc: key, mac: key, dek: key }, context);
    expect(toHex(predictScp02CardChallenge(session.mac, toAid(aid)))).toBe(challenge);
  });

  it('takes an AES key under its session DEK', () => {
    const dek = fromHex('C61DF24D2C9A770E32E969984B5B7074');
    expect(toHex(desEcb(dek, fromHex(DEFAULT_KEY)))).toBe('B23034FA4329DE9AD8E91583618813B3');
  });
});

describe('pysim, i = 15, C-MAC', () => {
  it('gives the published EXTERNAL AUTHENTICATE and all four cases of command', async () => {
    const channel = await openChannel(request(PYSIM.hostChallenge, PYSIM.answer, 0x15, 0x01), PYSIM.port);
    expect(toHex(channel.externalAuthenticate())).toBe('8482010010BA6961667737C5BCEBECE14C7D6A4376');
    const cases = ['80F22002', '80CA006600', '80F220020A4F0212345C054F9F70C5', '80F28002024F0000'];
    expect(cases.map((each) => toHex(channel.wrap(decodeCommand(fromHex(each)))))).toEqual([
      '84F220020814DB34FA4341DCA8',
      '84CA00660855ED7C5FF069512B00',
      '84F22002124F0212345C054F9F70C58FC1B380C4228AF8',
      '84F280020A4F003B95F09317DE6A4E00',
    ]);
    // Without R-MAC answers pass as they are.
    expect(channel.unwrap({ data: fromHex('0102'), sw: 0x6985 })).toEqual({
      data: fromHex('0102'),
      sw: 0x6985,
    });
  });
});

describe('nightcode, one card over a hundred sessions', () => {
  const staticKeys = { enc: fromHex(DEFAULT_KEY), mac: fromHex(DEFAULT_KEY), dek: fromHex(DEFAULT_KEY) };
  const session = (counter: string, level: SecurityLevel, i: number, externalAuthenticateMac?: string) =>
    new Scp02Messaging(
      deriveSessionKeys(staticKeys, { scp: '02', sequenceCounter: fromHex(counter) }),
      i,
      level,
      externalAuthenticateMac === undefined ? undefined : fromHex(externalAuthenticateMac),
    );

  it('authenticates', async () => {
    const answer = '0000000000000000000001020002D9857D532F04EFA4524D0C247265';
    const channel = await openChannel(request('E4C522735415CC5C', answer, 0x15, 0x01), port());
    expect(toHex(channel.externalAuthenticate())).toBe('84820100100958CFB92281CADE0772395773758FE4');
  });

  it('authenticates with C-DECRYPTION', () => {
    const keys = deriveSessionKeys(staticKeys, { scp: '02', sequenceCounter: fromHex('0005') });
    const challenges = [fromHex('4534CEAB691E93FC'), fromHex('0005'), fromHex('BD1A6BE9D3D5')] as const;
    const { host } = scp02Cryptograms(keys.enc, ...challenges);
    const sent = new Scp02Messaging(keys, 0x15, 0x03).externalAuthenticate(host);
    expect(toHex(sent)).toBe('8482030010BFD9D136839B3BB9AD88229B0C0773C3');
  });

  it.each([
    {
      counter: '0004',
      level: 0x01,
      mac: 'FB3A120021F7363C',
      plain: '80F28002024F00',
      wrapped: '84F280020A4F00517FECC3E4B00186',
    },
    {
      counter: '0005',
      level: 0x03,
      mac: 'AD88229B0C0773C3',
      plain: '80F28002024F00',
      wrapped: '84F280021082E63A0FE0BFAD7CE78AA5C6E038A340',
    },
    {
      counter: '002B',
      level: 0x01,
      mac: '1FFFFA8673AC4B36',
      plain: '80DD0000',
      wrapped: '84DD0000088F37D75E12BA3CFB',
    },
  ] as const)('session $counter, level $level', ({ counter, level, mac, plain, wrapped }) => {
    const messaging = session(counter, level, 0x15, mac);
    expect(toHex(messaging.wrap(decodeCommand(fromHex(plain))))).toBe(wrapped);
  });

  it('session 0064: R-MAC, over the command as it was before protection', () => {
    const messaging = session('0064', 0x11, 0x35, 'D548435F7981B2B4');
    const wrapped = messaging.wrap(decodeCommand(fromHex('80F28002024F00')));
    expect(toHex(wrapped)).toBe('84F280020A4F00D3A881BA3923ADA0');
    const answer = 'E3134F08A0000001510000009F700107C5039EFE804490ADB965570A769000';
    expect(toHex(messaging.unwrap(decodeResponse(fromHex(answer))).data)).toBe(
      'E3134F08A0000001510000009F700107C5039EFE80',
    );
  });

  it('session 006D: C-DECRYPTION and R-MAC, over the plain data', () => {
    const messaging = session('006D', 0x13, 0x35, '94373CCB68A4C173');
    const wrapped = messaging.wrap(decodeCommand(fromHex('80F240000B4F09F00000008800010101')));
    expect(toHex(wrapped)).toBe('84F2400018FD4290F0AD4100E0A568E813960DF479AFA8F841D435A3E6');
    const answer = fromHex('0799BA9C8ECCDE3B8E9000');
    expect(messaging.unwrap(decodeResponse(answer))).toEqual({ data: fromHex('07'), sw: 0x9000 });
  });
});

describe('what SCP02 options change', () => {
  const open = (i: number, level: SecurityLevel) =>
    openChannel(request(PYSIM.hostChallenge, PYSIM.answer, i, level), PYSIM.port);

  it('the first MAC is the same with and without ICV encryption, the second is not', async () => {
    const [plain, enciphered] = await Promise.all([open(0x05, 0x01), open(0x55, 0x01)]);
    expect(plain.externalAuthenticate()).toEqual(enciphered.externalAuthenticate());
    const command = { cla: 0x80, ins: 0xf2, p1: 0x20, p2: 0x02 };
    expect(plain.wrap(command)).not.toEqual(enciphered.wrap(command));
  });

  it('without ICV encryption each MAC is the next initial value', async () => {
    const channel = await open(0x45, 0x01);
    const first = channel.externalAuthenticate().slice(-8);
    const second = channel.wrap({ cla: 0x80, ins: 0xe4, p1: 0, p2: 0, data: fromHex('4F05A000000001') });
    const keys = await PYSIM.port.sessionKeys({ scp: '02', sequenceCounter: fromHex('0001') });
    const message = fromHex('84E400000F4F05A000000001');
    expect(toHex(second.slice(-8))).toBe(toHex(retailMac(keys.mac, pad80(message, 8), first)));
  });

  it('R-MAC only where i offers it', async () => {
    for (const i of [0x05, 0x15, 0x45, 0x55])
      await expect(open(i, 0x11)).rejects.toBeInstanceOf(ChannelParameterError);
    for (const i of [0x25, 0x35, 0x65, 0x75]) await expect(open(i, 0x13)).resolves.toBeDefined();
    await expect(open(0x75, 0x33)).rejects.toBeInstanceOf(ChannelParameterError);
    await expect(open(0x0a, 0x01)).rejects.toBeInstanceOf(ChannelParameterError);
  });

  it('R-MAC chains over answers, error answers too, and all commands can come first', async () => {
    const channel = await open(0x75, 0x11);
    const chain = channel.externalAuthenticate().slice(-8);
    channel.wrap({ cla: 0x80, ins: 0xe4, p1: 0, p2: 0x80, data: fromHex('4F05A000000001') });
    channel.wrap({ cla: 0x80, ins: 0xf2, p1: 0x40, p2: 0x02, data: fromHex('4F00'), le: 256 });
    const keys = await PYSIM.port.sessionKeys({ scp: '02', sequenceCounter: fromHex('0001') });
    const first = retailMac(keys.rmac, pad80(fromHex('80E40080074F05A000000001006A88'), 8), chain);
    expect(channel.unwrap({ data: first, sw: 0x6a88 }).sw).toBe(0x6a88);
    const second = retailMac(keys.rmac, pad80(fromHex('80F24002024F0002E300 9000'), 8), first);
    const answer = channel.unwrap({ data: fromHex(`E300${toHex(second)}`), sw: 0x9000 });
    expect(toHex(answer.data)).toBe('E300');
  });

  it('an error without its R-MAC is not believed', async () => {
    const channel = await open(0x75, 0x11);
    channel.externalAuthenticate();
    channel.wrap({ cla: 0x80, ins: 0xe4, p1: 0, p2: 0, data: fromHex('4F00') });
    expect(() => channel.unwrap({ data: new Uint8Array(0), sw: 0x6a88 })).toThrow(ResponseSecurityError);
  });

  it('level 00 leaves commands as they are', async () => {
    const channel = await open(0x55, 0x00);
    expect(toHex(channel.externalAuthenticate()).slice(0, 10)).toBe('8482000010');
    expect(toHex(channel.wrap({ cla: 0x80, ins: 0xca, p1: 0, p2: 0x66, le: 256 }))).toBe('80CA006600');
  });
});

describe('DES by known values', () => {
  it('single and triple DES (published examples)', () => {
    expect(toHex(desEcb(fromHex('0102030405060708'), fromHex('BB83BFF300000000')))).toBe('74B0047DD681D96C');
    expect(toHex(desEcb(fromHex('39'.repeat(16)), fromHex('9B361B26CB9FA8C8')))).toBe('97F557D8EDE97F95');
    expect(toHex(desEcb(fromHex('3F01'.repeat(8)), fromHex('F9CABA9100008000')))).toBe('03015BEA347EA231');
  });

  it('DES-CBC-MAC of FIPS 113 appendix A', () => {
    const text = '3736353433323120 4E6F772069732074 68652074696D6520 666F722000000000';
    expect(toHex(desCbcMac(fromHex('0123456789ABCDEF'), fromHex(text))).slice(0, 8)).toBe('F1D30F68');
  });

  it('ISO/IEC 9797-1 algorithm 3 over a known text', () => {
    const text = new TextEncoder().encode(
      'CHENHAO-PC|BFEBFBFF000306C3~9BP0PD2CN7016366I0043|20240111|20250101|8191|0',
    );
    const key = fromHex('5775204D69616F6A756E404726444311');
    expect(text).toHaveLength(74);
    expect(toHex(retailMac(key, pad80(text, 8)))).toBe('4089819D3D991CC7');
  });
});

const DEFAULT_KEY = '404142434445464748494A4B4C4D4E4F';

function port(enc = DEFAULT_KEY, mac = enc, dek = enc): SessionKeyPort {
  const keys = { enc: fromHex(enc), mac: fromHex(mac), dek: fromHex(dek) };
  return { sessionKeys: (context) => Promise.resolve(deriveSessionKeys(keys, context)) };
}

const REAL_CARD = '00007295713236006868FF0200088B320EC60E9BF5A6DBF1B3FEB875';

const PYSIM = {
  hostChallenge: '40A62C37FA6304F8',
  answer: '00000000000000000000700200016B4524ABEE7CF32EA3838BC148F3',
  port: port(
    '100102030405060708090A0B0C0D0E0F',
    '101102030405060708090A0B0C0D0E0F',
    '102102030405060708090A0B0C0D0E0F',
  ),
};

function request(hostChallenge: string, answer: string, i: number, securityLevel: SecurityLevel) {
  return {
    scp: '02' as const,
    i,
    securityLevel,
    hostChallenge: fromHex(hostChallenge),
    response: parseInitializeUpdate(fromHex(answer)),
  };
}
