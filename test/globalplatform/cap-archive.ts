/** CAP archives made for tests: components by name, packed as a converter packs them. */
import { zipSync } from 'fflate';
import { concat, fromHex } from '../../app/card/bytes.ts';

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

/** The Directory of a package in format 2.1 (11 sizes) or 2.2 (12), with one import and one applet. */
export function directory(parts: Components, count: 11 | 12): Uint8Array {
  const names = ['Header', 'Directory', 'Applet', 'Import', 'ConstantPool', 'Class', 'Method'];
  names.push('StaticField', 'RefLocation', 'Export', 'Descriptor', 'Debug');
  const sizes = names.slice(0, count).map((name) => {
    const size = name === 'Directory' ? 2 * count + 9 : (parts[name]?.length ?? 3) - 3;
    return Uint8Array.of(size >> 8, size & 0xff);
  });
  return component(2, concat(...sizes, fromHex('000000000000 01 01 00')));
}

/** The archive; members in the order given. */
export function archive(components: Components, level: 0 | 9 = 9): Uint8Array {
  const members: Record<string, Uint8Array> = { 'META-INF/MANIFEST.MF': new Uint8Array(3) };
  for (const [name, bytes] of Object.entries(components)) members[`demo/pkg/javacard/${name}.cap`] = bytes;
  return zipSync(members, { level });
}
