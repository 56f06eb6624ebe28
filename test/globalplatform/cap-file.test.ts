import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { CapFileError, ExtendedCapFileError } from '../../app/globalplatform/cap-components.ts';
import { LIMIT } from '../support/limit.ts';
import {
  archive,
  component,
  directory,
  readCapFile,
  sequence,
  smallPackage,
  wrapped,
} from './cap-archive.ts';
import { concat, fromHex, LoadFileTooLarge, toHex } from './commands.ts';

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
      const sha512 = createHash('sha512').update(bytes).digest('hex').toUpperCase();
      expect(toHex(loadFile.hash('sha512'))).toBe(sha512);
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

describe('however it is packed', () => {
  const parts = smallPackage();
  const expected = toHex(readCapFile(archive(parts)).loadFile().sha256);

  it('reads the same from a JAR around the CAP file, around the components, and from the components alone', () => {
    const forms = [
      wrapped(archive(parts)),
      wrapped(archive(parts), 'demo/javacard/demo.cap'),
      sequence(parts),
      wrapped(sequence(parts), 'applet.ijc'),
    ];
    for (const bytes of forms) expect(toHex(readCapFile(bytes).loadFile().sha256)).toBe(expected);
  });

  it('reads a converter’s other files past, however large', () => {
    const more = archive(parts, 9, { 'APPLET-INF/classes/demo/Demo.class': new Uint8Array(300_000) });
    expect(toHex(readCapFile(more).loadFile().sha256)).toBe(expected);
  });

  it('reads components whose folder a tool left out, or wrote with the separator of Windows', () => {
    for (const folder of ['', 'out/', 'com\\demo\\javacard\\']) {
      const members = Object.entries(parts).map(([name, bytes]) => [`${folder}${name}.cap`, bytes] as const);
      const bytes = zipSync(Object.fromEntries(members));
      expect(toHex(readCapFile(bytes).loadFile().sha256)).toBe(expected);
      expect(toHex(readCapFile(wrapped(bytes)).loadFile().sha256)).toBe(expected);
    }
  });

  it('reads a JAR with a thousand other files, larger than any package', () => {
    const others = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, i) => [`classes/C${i}.class`, Uint8Array.from(randomBytes(1_500))]),
    );
    const bytes = archive(parts, 9, others);
    expect(bytes.length).toBeGreaterThan(1 << 20);
    expect(toHex(readCapFile(bytes).loadFile().sha256)).toBe(expected);
    expect(toHex(readCapFile(wrapped(bytes)).loadFile().sha256)).toBe(expected);
  });

  it('does not send a vendor’s own component, and says that it is there', () => {
    const own = component(0x80, '01020304');
    const info = fromHex('01 80 0004 05 F000000080');
    const Directory = component(2, concat(parts['Directory']?.slice(3, -1) ?? empty, info));
    // The Directory counts its own bytes too.
    Directory.set([0, Directory.length - 3], 3 + 2);
    const cap = readCapFile(archive({ ...parts, Directory, VendorThings: own }));
    expect(cap.custom).toEqual([{ tag: 0x80, size: 4, aid: 'F000000080' }]);
    expect(toHex(cap.loadFile().bytes)).not.toContain('01020304'.repeat(2));
    expect(cap.loadFile().bytes).toHaveLength(readCapFile(archive(parts)).loadFile().bytes.length + 9);
  });

  it.each(['Debug', 'Export', 'StaticResources', 'VendorThings'])(
    'tells a vendor’s own component by its tag, also where it is stored as %s',
    (name) => {
      const cap = readCapFile(archive({ ...parts, [name]: component(0xdb, '0000') }));
      expect(toHex(cap.loadFile().bytes)).toBe(toHex(readCapFile(archive(parts)).loadFile().bytes));
      expect(cap.sizes).toEqual(readCapFile(archive(parts)).sizes);
    },
  );

  it.each(['Method', 'Applet'])('lacks %s where only a vendor’s own component has that name', (name) => {
    expect(fault(archive({ ...parts, [name]: component(0xdb, '0000') })).message).toContain(
      `${name}: component missing`,
    );
  });

  it('passes over a vendor’s own component among components one behind the other', () => {
    const bytes = concat(sequence(parts), component(0xdb, '0000'));
    expect(toHex(readCapFile(bytes).loadFile().bytes)).toBe(
      toHex(readCapFile(sequence(parts)).loadFile().bytes),
    );
  });
});

describe('the format of Java Card 3.1', () => {
  const header = (flags: string) => component(1, `DECAFFED 0302 ${flags} 0001 05 0102030405 00`);
  const resources = fromHex('0D 00000009 0001 0001 00000001 AA'.replace(/ /g, ''));
  const parts = smallPackage();
  const newer = { ...parts, Header: header('04'), StaticResources: resources };

  it('is read in its compact form, static resources last but the Descriptor', () => {
    const cap = readCapFile(archive({ ...newer, Directory: directory(newer, 13) }));
    expect(cap.format).toBe('2.3');
    const sent = toHex(cap.loadFile({ descriptor: true }).bytes);
    expect(sent.endsWith(toHex(concat(resources, parts['Descriptor'] ?? empty)))).toBe(true);
    expect(cap.sizes.StaticResources).toBe(resources.length);
  });

  it('is refused by name in its extended form, wherever its Header stands', () => {
    const rest = Object.fromEntries(Object.entries(newer).filter(([name]) => name !== 'Method'));
    const extended = { 'Method.capx': fromHex('070001000000'), ...rest, Header: header('0C') };
    for (const bytes of [
      archive(extended),
      archive(Object.fromEntries(Object.entries(extended).reverse())),
    ]) {
      expect(() => readCapFile(bytes)).toThrow(ExtendedCapFileError);
      expect(() => readCapFile(bytes)).toThrow('CAP file, Header: an extended CAP file');
    }
    expect(() => readCapFile(sequence({ ...parts, Header: header('0C') }))).toThrow(ExtendedCapFileError);
  });
});

describe('what a package needs', () => {
  const importing = (...packages: string[]) => {
    const parts = smallPackage();
    const Import = component(4, `${packages.length.toString(16).padStart(2, '0')}${packages.join('')}`);
    const changed = { ...parts, Import };
    return readCapFile(archive({ ...changed, Directory: directory(changed, 11, packages.length) })).javaCard;
  };

  it.each([
    ['0001', '2.1.1'],
    ['0201', '2.2.1'],
    ['0301', '2.2.2'],
    ['0401', '3.0.1'],
    ['0501', '3.0.4'],
    ['0601', '3.0.5'],
    ['0801', '3.1'],
    // As Oracle's converter 3.2 writes it.
    ['0901', '3.2'],
    ['6301', undefined],
    ['0002', undefined],
  ])('javacard.framework %s is Java Card %s', (version, expected) => {
    expect(importing('000107A0000000620001', `${version}07A0000000620101`)).toBe(expected);
  });

  it('is told by javacard.security where there is no framework, and by nothing else', () => {
    expect(importing('030107A0000000620102')).toBe('2.2.2');
    expect(importing('000107A0000000620001')).toBeUndefined();
  });

  it('is estimated from what stays on the card, static fields included', () => {
    const parts = smallPackage(1000);
    // Image of 6 bytes, two arrays of 20 bytes together.
    const Directory = directory(parts, 11);
    Directory.set([0x00, 0x06, 0x00, 0x02, 0x00, 0x14], 3 + 22);
    const { memory, loadFile } = readCapFile(archive({ ...parts, Directory }));
    const kept = ['Applet', 'Import', 'ConstantPool', 'Class', 'Method'];
    const info = kept.reduce((sum, name) => sum + (parts[name]?.length ?? 0) - 3, 0);
    expect(memory).toEqual({ resident: info + 26, statics: 26, loading: loadFile().bytes.length });
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
    ['another format', withPart('Header', component(1, 'DECAFFED0402040001050102030405')), 'Header', '2.4'],
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
    ['an unknown component', withPart('Dynamic', component(14, '00')), 'Dynamic', 'supported'],
    [
      'static resources cut short',
      withPart('StaticResources', fromHex('0D0000')),
      'StaticResources',
      'cut short',
    ],
    ['an archive of something else', zipSync({ 'readme.txt': empty }), 'Header', 'component missing'],
    [
      'two CAP files in one archive',
      zipSync({ 'a.cap': archive(parts), 'b.cap': archive(parts) }),
      'archive',
      'several CAP files',
    ],
    [
      'an archive in an archive in an archive',
      wrapped(wrapped(archive(parts))),
      'Header',
      'component missing',
    ],
    ['components cut short', sequence(parts).slice(0, -1), 'archive', 'cut short'],
    ['components and a byte more', concat(sequence(parts), fromHex('FF')), 'archive', 'cut short'],
    ['components and one of no kind', concat(sequence(parts), fromHex('0E0000')), 'archive', 'not supported'],
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
    expect(fault(new Uint8Array((8 << 20) + 1)).message).toContain('archive over 8388608 bytes');
    const many = Object.fromEntries(Array.from({ length: 4100 }, (_, i) => [`x${i}/y`, empty]));
    expect(fault(archive(many)).message).toContain('more than 4000 members');
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
        timeout: LIMIT,
      });
    expect(check).not.toThrow();
  });
});

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
