import { describe, expect, it } from 'vitest';
import { toAid } from '../../app/card/aid.ts';
import { deleteKeys, deleteObject, select, setStatus } from '../../app/globalplatform/commands.ts';
import { installForInstallAndMakeSelectable, installForLoad } from '../../app/globalplatform/install.ts';
import { blockCount, loadCommands } from '../../app/globalplatform/load.ts';
import { maximumBlockSize } from '../../app/globalplatform/security-level.ts';
import type { CommandApdu } from './commands.ts';
import { concat, encodeCommand, fromHex, LoadFileTooLarge, loadParameters, toHex } from './commands.ts';

describe('commands, byte for byte', () => {
  it('SELECT', () => {
    expect(hex(select())).toBe('00A4040000');
    expect(hex(select(ISD))).toBe('00A4040008A00000015100000000');
  });

  it('INSTALL [for load]', () => {
    expect(hex(installForLoad({ packageAid: PACKAGE, securityDomain: ISD }))).toBe(
      '80E602001508F04B41494B41030008A00000015100000000000000',
    );
    const full = installForLoad({
      packageAid: PACKAGE,
      hash: fromHex('11'.repeat(20)),
      parameters: loadParameters(20_480),
    });
    expect(hex(full)).toBe(`80E602002708F04B41494B4103000014${'11'.repeat(20)}06EF04C60250000000`);
  });

  it('a need above 32,767 bytes takes four bytes', () => {
    expect(toHex(loadParameters(32_767))).toBe('EF04C6027FFF');
    expect(toHex(loadParameters(40_000))).toBe('EF06C60400009C40');
  });

  it('INSTALL [for install and make selectable], with 1 and 3 bytes of privileges and a memory need', () => {
    const aids = { packageAid: PACKAGE, moduleAid: APPLET, instanceAid: APPLET };
    const names = '08F04B41494B41030009F04B41494B4103000109F04B41494B41030001';
    expect(hex(installForInstallAndMakeSelectable(aids))).toBe(`80E60C0023${names}010002C9000000`);
    expect(hex(installForInstallAndMakeSelectable({ ...aids, privileges: fromHex('040000') }))).toBe(
      `80E60C0025${names}0304000002C9000000`,
    );
    const memory = { nonVolatile: 2048, volatile: 256 };
    expect(
      hex(installForInstallAndMakeSelectable({ ...aids, applicationParameters: fromHex('AB'), memory })),
    ).toBe(`80E60C002E${names}01000DC901ABEF08C7020100C80208000000`);
    expect(() => installForInstallAndMakeSelectable({ ...aids, privileges: fromHex('0400') })).toThrow(
      RangeError,
    );
  });

  it('SET STATUS of the card, of an application, of a domain with its applications', () => {
    expect(hex(setStatus({ kind: 'card' }, 0x0f))).toBe('80F0800F');
    expect(hex(setStatus({ kind: 'application', aid: APPLET }, 0x80))).toBe('80F0408009F04B41494B41030001');
    expect(hex(setStatus({ kind: 'security-domain-and-applications', aid: ISD }, 0x80))).toBe(
      '80F0608008A000000151000000',
    );
    expect(() => setStatus({ kind: 'card' }, 0x100)).toThrow(RangeError);
  });

  it('DELETE of keys: all of a version, all with an identifier, one', () => {
    expect(hex(deleteKeys({ keyVersion: 0x01 }))).toBe('80E4000003D2010100');
    expect(hex(deleteKeys({ keyId: 0x02 }))).toBe('80E4000003D0010200');
    expect(hex(deleteKeys({ keyVersion: 0xff, keyId: 0x01 }))).toBe('80E4000006D00101D201FF00');
    expect(() => deleteKeys({})).toThrow(RangeError);
    expect(() => deleteKeys({ keyId: 0x80 })).toThrow(RangeError);
  });

  it('DELETE', () => {
    expect(hex(deleteObject(APPLET, false))).toBe('80E400000B4F09F04B41494B4103000100');
    expect(hex(deleteObject(PACKAGE, true))).toBe('80E400800A4F08F04B41494B41030000');
  });
});

describe('block sizes', () => {
  it.each([
    [0x00, 8, 255],
    [0x01, 8, 247],
    [0x11, 8, 247],
    [0x03, 8, 239],
    [0x33, 8, 239],
    [0x01, 16, 239],
    [0x03, 16, 223],
  ] as const)('level %i, %i-byte MACs: %i', (level, macLength, size) => {
    expect(maximumBlockSize(level, macLength)).toBe(size);
  });

  it.each([
    [247, 63_228],
    [239, 61_180],
    [223, 57_084],
  ])('blocks of %i bytes load at most %i', (blockSize, size) => {
    expect(blockCount(new Uint8Array(size), blockSize)).toBe(256);
    const tooLarge = () => loadCommands(new Uint8Array(size + 1), blockSize);
    expect(tooLarge).toThrow(LoadFileTooLarge);
    expect(tooLarge).toThrow(`load file of ${size + 1} bytes, at most ${size} can be loaded`);
  });

  it('small blocks too: the largest load file really takes 256', () => {
    for (let blockSize = 1; blockSize <= 255; blockSize += 1) {
      const size = mostThatLoads(blockSize);
      expect(blockCount(new Uint8Array(size), blockSize)).toBe(256);
      expect(() => blockCount(new Uint8Array(size + 1), blockSize)).toThrow(LoadFileTooLarge);
    }
  });
});

describe('LOAD', () => {
  it('20 KB in blocks of 247 bytes is 83 commands', () => {
    const file = Uint8Array.from({ length: 20_480 }, (_, i) => i & 0xff);
    const commands = loadCommands(file, 247);
    expect(commands).toHaveLength(83);
    expect(commands.map((each) => each.p2)).toEqual(Array.from({ length: 83 }, (_, i) => i));
    expect(commands.slice(0, -1).every((each) => each.p1 === 0x00)).toBe(true);
    expect(commands.at(-1)?.p1).toBe(0x80);
    const sent = concat(...commands.map((each) => each.data ?? new Uint8Array(0)));
    expect(toHex(sent.slice(0, 4))).toBe('C4825000');
    expect(sent.slice(4)).toEqual(file);
  });

  it('the length of C4 is in its shortest form', () => {
    expect(hex(loadCommands(new Uint8Array(1), 247)[0] ?? select())).toBe('80E8800003C4010000');
    expect(toHex(loadCommands(new Uint8Array(200), 247)[0]?.data?.slice(0, 3) ?? new Uint8Array(0))).toBe(
      'C481C8',
    );
  });
});

const PACKAGE = toAid('F04B41494B410300');
const APPLET = toAid('F04B41494B41030001');
const ISD = toAid('A000000151000000');

const hex = (command: CommandApdu) => toHex(encodeCommand(command));

/** Bytes of the largest load file in such blocks, as the refusal of a larger one says it. */
function mostThatLoads(blockSize: number): number {
  try {
    blockCount(new Uint8Array(257 * 255), blockSize);
  } catch (error) {
    if (error instanceof LoadFileTooLarge) return error.limit;
    throw error;
  }
  throw new Error('not refused');
}
