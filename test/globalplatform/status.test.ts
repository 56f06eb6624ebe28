/** GET STATUS answers of real cards: published with GlobalPlatformPro and OpenSCP-Java; read by hand against GPC 2.3.1 §11.4. */
import { describe, expect, it } from 'vitest';
import { GpFormatError, getStatus, parseStatus } from './answers.ts';
import { encodeCommand, fromHex, toHex } from './commands.ts';

describe('asking', () => {
  it.each([
    [getStatus('issuer-security-domain'), '80F28002024F0000'],
    [getStatus('applications', 'legacy'), '80F24000024F0000'],
    [getStatus('load-files', 'tlv', 'next'), '80F22003024F0000'],
    [getStatus('load-files-and-modules', 'legacy', 'next'), '80F21001024F0000'],
  ])('%#', (command, bytes) => {
    expect(toHex(encodeCommand(command))).toBe(bytes);
  });
});

describe('TLV answers', () => {
  it('an issuer security domain with all there is to tell', () => {
    const data = fromHex(
      'E3464F08A0000000030000009F700101C5039EFE80CF0140CF0141CF0142CF0143CF0180CF0181CF0182CF0183C40BD276000005AAFFCAFE0001CE020001CC08A000000003000000',
    );
    expect(parseStatus('issuer-security-domain', 'tlv', data)).toEqual([
      {
        aid: 'A000000003000000',
        lifecycle: 0x01,
        privileges: fromHex('9EFE80'),
        modules: [],
        loadFile: 'D276000005AAFFCAFE0001',
        version: fromHex('0001'),
        securityDomain: 'A000000003000000',
      },
    ]);
  });

  it('one with a 1-byte privilege and an object we do not know', () => {
    const data = fromHex('E3144F07A00000015100009F700107C50180EA028000');
    expect(parseStatus('issuer-security-domain', 'tlv', data)).toEqual([
      { aid: 'A0000001510000', lifecycle: 0x07, privileges: fromHex('80'), modules: [] },
    ]);
  });

  it('load files with their applets, in two pages broken within an entry', () => {
    const whole =
      'E31D4F08F04B41494B4101009F7001018409F04B41494B41010001CE020100' +
      'E31D4F08F04B41494B4102009F7001018409F04B41494B41020001CC00CE00';
    const pages = [whole.slice(0, 70), whole.slice(70)].map(fromHex);
    const entries = parseStatus('load-files-and-modules', 'tlv', ...pages);
    expect(entries.map((entry) => [entry.aid, entry.modules])).toEqual([
      ['F04B41494B410100', ['F04B41494B41010001']],
      ['F04B41494B410200', ['F04B41494B41020001']],
    ]);
    expect(entries[1]?.securityDomain).toBeUndefined();
  });

  it.each([
    ['E3094F07A0000001510000', 'without lifecycle'],
    ['E3049F700107', 'without AID'],
    ['E3084F02A0009F700107', 'another length than 5 to 16'],
    ['4F07A0000001510000', 'not E3'],
    ['E3144F07A000', 'value cut short'],
  ])('%s is refused: %s', (data, reason) => {
    const read = () => parseStatus('applications', 'tlv', fromHex(data));
    expect(read).toThrow(GpFormatError);
    expect(read).toThrow(reason);
  });
});

describe('older answers', () => {
  it('load files of a card', () => {
    const data = fromHex(
      '08A00000015141434C010010A0000002202003010101000000000006010010A0000002202003010101000000000011010005A0000002480100',
    );
    expect(parseStatus('load-files', 'legacy', data).map(({ aid, lifecycle }) => [aid, lifecycle])).toEqual([
      ['A00000015141434C', 1],
      ['A0000002202003010101000000000006', 1],
      ['A0000002202003010101000000000011', 1],
      ['A000000248', 1],
    ]);
  });

  it('its issuer security domain', () => {
    const data = fromHex('08A0000001510000000F9E');
    expect(parseStatus('issuer-security-domain', 'legacy', data)).toEqual([
      { aid: 'A000000151000000', lifecycle: 0x0f, privileges: fromHex('9E'), modules: [] },
    ]);
  });

  it('load files with their applets', () => {
    const data = fromHex('08F04B41494B4101000100 01 09F04B41494B41010001 05A0000002480100 00');
    expect(parseStatus('load-files-and-modules', 'legacy', data)).toEqual([
      {
        aid: 'F04B41494B410100',
        lifecycle: 1,
        privileges: fromHex('00'),
        modules: ['F04B41494B41010001'],
      },
      { aid: 'A000000248', lifecycle: 1, privileges: fromHex('00'), modules: [] },
    ]);
  });

  it('cut short', () => {
    const read = () => parseStatus('applications', 'legacy', fromHex('08A00000015100000007'));
    expect(read).toThrow('GET STATUS answer: cut short at offset 10');
  });
});
