import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../app/card/bytes.ts';
import { CapFileError } from '../../app/globalplatform/cap-components.ts';
import { readCapFile } from '../../app/globalplatform/cap-file.ts';
import { LoadFileTooLarge } from '../../app/globalplatform/errors.ts';
import { archive, component, directory, smallPackage } from './cap-archive.ts';

const empty = new Uint8Array(0);

/** What reading throws, for its component and offset. */
function fault(bytes: Uint8Array): { component: string; message: string } {
  try {
    readCapFile(bytes);
  } catch (error) {
    if (error instanceof CapFileError) return { component: error.component, message: error.message };
    throw error;
  }
  throw new Error('was read');
}

describe('a small package', () => {
  const parts = smallPackage();

  it('names what it is', () => {
    const cap = readCapFile(archive(parts));
    expect(cap.package).toEqual({ aid: '0102030405', version: { major: 1, minor: 0 } });
    expect(cap.format).toBe('2.1');
    expect(cap.applets).toEqual(['0102030405060708']);
    expect(cap.imports).toEqual([{ aid: 'A0000000620001', version: { major: 1, minor: 0 } }]);
    expect(cap.sizes.Method).toBe(13);
    expect(cap.sizes.Debug).toBeUndefined();
  });

  it('is sent in the order of the specification, without Debug, with Descriptor only if asked for', () => {
    const withDebug = { ...parts, Debug: component(12, '0000') };
    const cap = readCapFile(archive(withDebug));
    const order = ['Header', 'Directory', 'Import', 'Applet', 'Class', 'Method', 'StaticField'];
    order.push('ConstantPool', 'RefLocation');
    const sent = concat(...order.map((name) => parts[name] ?? empty));
    expect(toHex(cap.loadFile().bytes)).toBe(toHex(sent));
    const whole = concat(sent, parts['Descriptor'] ?? empty);
    expect(toHex(cap.loadFile({ descriptor: true }).bytes)).toBe(toHex(whole));
    for (const [loadFile, bytes] of [
      [cap.loadFile(), sent],
      [cap.loadFile({ descriptor: true }), whole],
    ] as const) {
      expect(toHex(loadFile.sha1)).toBe(createHash('sha1').update(bytes).digest('hex').toUpperCase());
      expect(toHex(loadFile.sha256)).toBe(createHash('sha256').update(bytes).digest('hex').toUpperCase());
    }
  });

  it('reads the same in any order, stored or deflated, with or without Descriptor', () => {
    const shuffled = Object.fromEntries(Object.entries(parts).reverse());
    const { Descriptor: _, ...without } = parts;
    const expected = toHex(readCapFile(archive(parts)).loadFile().sha256);
    for (const bytes of [archive(shuffled), archive(parts, 0), archive(without)])
      expect(toHex(readCapFile(bytes).loadFile().sha256)).toBe(expected);
    expect(() => readCapFile(archive(without)).loadFile({ descriptor: true })).toThrow(
      'CAP file, Descriptor: component missing',
    );
  });

  it('of the newer format counts Debug in its directory', () => {
    const newer = { ...parts, Header: component(1, 'DECAFFED 0202 04 0001 05 0102030405 01 61') };
    const cap = readCapFile(archive({ ...newer, Directory: directory(newer, 12) }));
    expect(cap.format).toBe('2.2');
  });
});

describe('a package that cannot be loaded', () => {
  it('is refused by name when it takes more than 256 blocks', () => {
    const cap = readCapFile(archive(smallPackage(63_000)));
    const size = cap.loadFile().bytes.length;
    expect(size).toBeLessThan(63_228);
    expect(cap.blockCount(247)).toBe(256);
    expect(() => cap.blockCount(239)).toThrow(LoadFileTooLarge);
    expect(() => cap.blockCount(239)).toThrow(`load file of ${size} bytes, at most 61180 can be loaded`);
  });
});

describe('a damaged package', () => {
  const parts = smallPackage();
  const withPart = (name: string, bytes: Uint8Array) => archive({ ...parts, [name]: bytes });

  it.each([
    ['no archive at all', fromHex('00112233'), 'archive', 'not a ZIP archive'],
    ['an empty file', empty, 'archive', 'not a ZIP archive'],
    [
      'another magic',
      withPart('Header', component(1, 'CAFEBABE0102040001050102030405')),
      'Header',
      'DECAFFED',
    ],
    ['another format', withPart('Header', component(1, 'DECAFFED0302040001050102030405')), 'Header', '2.3'],
    [
      'a short AID',
      withPart('Header', component(1, 'DECAFFED01020400010201 02')),
      'Header',
      'another length',
    ],
    ['a header cut short', withPart('Header', component(1, 'DECAFFED010204')), 'Header', 'cut short'],
    ['another tag', withPart('Class', component(7, '0000')), 'Class', 'another tag'],
    ['another size', withPart('Class', fromHex('0600050000')), 'Class', 'size 5 does not match 2 bytes'],
    ['a changed component', withPart('Method', component(7, '0000')), 'Directory', 'another size of Method'],
    ['applets left over', withPart('Applet', component(3, '00 0102030405060708090A')), 'Applet', 'left over'],
    [
      'an unknown component',
      withPart('StaticResources', component(13, '00')),
      'StaticResources',
      'supported',
    ],
  ])('%s', (_, bytes, name, reason) => {
    const { component: where, message } = fault(bytes);
    expect(where).toBe(name);
    expect(message).toContain(reason);
  });

  it.each(Object.keys(parts).filter((name) => name !== 'Descriptor'))('without %s', (name) => {
    const rest = Object.fromEntries(Object.entries(parts).filter(([each]) => each !== name));
    expect(fault(archive(rest)).component).toBe(name);
  });

  it('a flipped bit anywhere in a stored component shows', () => {
    const bytes = archive(parts, 0);
    const header = parts['Header'] ?? empty;
    const start = toHex(bytes).indexOf(toHex(header)) / 2;
    for (let at = 0; at < header.length; at += 1) {
      const damaged = bytes.slice();
      damaged[start + at] = (damaged[start + at] ?? 0) ^ 0x10;
      expect(fault(damaged).message).toContain(`member damaged at offset ${start}`);
    }
  });

  it('a component there twice', () => {
    const twice = archive({ ...parts, '../../other/javacard/Header': parts['Header'] ?? empty });
    expect(fault(twice).message).toContain('Header: component there twice');
  });
});

describe('an archive that would grow', () => {
  it('is refused by its declared size', () => {
    const bomb = archive({ ...smallPackage(), Method: new Uint8Array(4 << 20) });
    expect(bomb.length).toBeLessThan(10_000);
    expect(fault(bomb).message).toContain('member over 131072 bytes');
  });

  it('is refused when it declares less than it holds', () => {
    const bomb = archive({ ...smallPackage(), Method: new Uint8Array(4 << 20) });
    const lying = bomb.slice();
    const view = new DataView(lying.buffer);
    for (let at = 0; at + 46 < lying.length; at += 1) {
      if (view.getUint32(at, true) === 0x02014b50 && view.getUint32(at + 24, true) === 4 << 20)
        view.setUint32(at + 24, 100, true);
    }
    expect(fault(lying).message).toContain('member damaged');
  });

  it('is refused when it is large, or has many members', () => {
    expect(fault(new Uint8Array((1 << 20) + 1)).message).toContain('archive over 1048576 bytes');
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x${i}/y`, empty]));
    expect(fault(archive(many)).message).toContain('more than 200 members');
  });
});

describe('the demo packages', () => {
  const read = (name: string) =>
    readCapFile(
      Uint8Array.from(readFileSync(new URL(`../../resources/packages/${name}.cap`, import.meta.url))),
    );

  it.each([
    ['e-wallet', 'F04B41494B410100', 12_288, 50],
    ['identity', 'F04B41494B410200', 5_120, 21],
    ['campus-meal', 'F04B41494B410300', 20_480, 83],
    ['transit', 'F04B41494B410400', 8_192, 34],
  ])('%s is the package of the data sheet', (name, aid, size, blocks) => {
    const cap = read(name);
    expect(cap.package).toEqual({ aid, version: { major: 1, minor: 0 } });
    expect(cap.applets).toEqual([`${aid.slice(0, -2)}0001`]);
    expect(cap.format).toBe('2.2');
    expect(cap.loadFile().bytes).toHaveLength(size);
    expect(cap.blockCount(247)).toBe(blocks);
    expect(cap.loadFile({ descriptor: true }).bytes.length).toBeGreaterThan(size);
  });

  it('are what their script makes', () => {
    const root = new URL('../../', import.meta.url);
    const check = () =>
      execFileSync(process.execPath, ['scripts/make-demo-packages.mjs', '--check'], {
        cwd: root,
        timeout: 20_000,
      });
    expect(check).not.toThrow();
  });
});
