/** CAP archives made for tests: components by name, packed as a converter packs them. */
import { zipSync } from 'fflate';
import { concat, fromHex } from '../../app/card/bytes.ts';

export { CapFileError } from '../../app/globalplatform/cap-components.ts';
export { readCapFile } from '../../app/globalplatform/cap-file.ts';

export function component(tag: number, info: string | Uint8Array): Uint8Array {
  const bytes = typeof info === 'string' ? fromHex(info) : info;
  return concat(Uint8Array.of(tag, bytes.length >> 8, bytes.length & 0xff), bytes);
}

export type Components = Readonly<Record<string, Uint8Array>>;

/** A small package in format 2.1: one applet, one import, `methodBytes` of methods. */
export function smallPackage(methodBytes = 10): Components {
  const parts = {
    Header: component(1, 'DECAFFED 0102 04 0001 05 0102030405'),
    Applet: component(3, '01 08 0102030405060708 0001'),
    Import: component(4, '01 0001 07 A0000000620001'),
    ConstantPool: component(5, '0000'),
    Class: component(6, '0000'),
    Method: component(7, new Uint8Array(methodBytes)),
    StaticField: component(8, '00000000000000000000'),
    RefLocation: component(9, '00000000'),
    Descriptor: component(11, '00'),
  };
  return { Directory: directory(parts, 11), ...parts };
}

/**
 * The Directory of a package in format 2.1 (11 sizes), 2.2 (12) or 2.3 (13, the last of 4 bytes), with one applet.
 */
export function directory(parts: Components, count: 11 | 12 | 13, imports = 1): Uint8Array {
  const names = ['Header', 'Directory', 'Applet', 'Import', 'ConstantPool', 'Class', 'Method'];
  names.push('StaticField', 'RefLocation', 'Export', 'Descriptor', 'Debug');
  const resources = count === 13 ? 4 : 0;
  const sizes = names.slice(0, count).map((name) => {
    const size =
      name === 'Directory' ? 2 * Math.min(count, 12) + resources + 9 : (parts[name]?.length ?? 3) - 3;
    return Uint8Array.of(size >> 8, size & 0xff);
  });
  if (count === 13) sizes.push(Uint8Array.of(0, 0, 0, (parts['StaticResources']?.length ?? 5) - 5));
  return component(2, concat(...sizes, fromHex('000000000000'), Uint8Array.of(imports, 1, 0)));
}

/** The archive; members in the order given. */
export function archive(
  components: Components,
  level: 0 | 9 = 9,
  others: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array {
  const members: Record<string, Uint8Array> = { 'META-INF/MANIFEST.MF': new Uint8Array(3), ...others };
  for (const [name, bytes] of Object.entries(components)) {
    const file = name === 'StaticResources' ? `${name}.capx` : name.endsWith('.capx') ? name : `${name}.cap`;
    members[`demo/pkg/javacard/${file}`] = bytes;
  }
  return zipSync(members, { level });
}

/** A JAR around a CAP file, as some build tools hand it over. */
export function wrapped(cap: Uint8Array, name = 'build/applet.cap'): Uint8Array {
  return zipSync({ 'META-INF/MANIFEST.MF': new Uint8Array(3), [name]: cap });
}

/** The components one behind the other, in the order in which they are loaded. */
export function sequence(components: Components): Uint8Array {
  const order = ['Header', 'Directory', 'Import', 'Applet', 'Class', 'Method', 'StaticField', 'Export'];
  order.push('ConstantPool', 'RefLocation', 'Descriptor');
  return concat(...order.map((name) => components[name] ?? new Uint8Array(0)));
}
