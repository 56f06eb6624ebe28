/** CAP files cut, changed and made to take more than they are: a package, or an error of its own. */
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { archive, CapFileError, readCapFile, sequence, smallPackage, wrapped } from './cap-archive.ts';
import { concat, fromHex } from './commands.ts';

describe('a CAP file cut at every byte, in every form', () => {
  const parts = smallPackage();
  const forms = {
    stored: archive(parts, 0),
    deflated: archive(parts),
    wrapped: wrapped(archive(parts)),
    'components alone': sequence(parts),
  };
  it.each(Object.entries(forms))('%s', (_name, whole) => {
    // Behind the last component but the Descriptor, which may be left out, the package is whole.
    const before = whole.length - (parts['Descriptor']?.length ?? 0);
    const entire = (end: number) => whole === forms['components alone'] && end === before;
    for (let end = 0; end < whole.length; end += 1)
      if (entire(end)) expect(readCapFile(whole.slice(0, end)).sizes.Descriptor).toBeUndefined();
      else expect(() => readCapFile(whole.slice(0, end)), `cut at ${end}`).toThrow(CapFileError);
  });

  it('with any one byte another, gives the same package, another one or an error of its own', () => {
    const whole = sequence(parts);
    for (let at = 0; at < whole.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = whole.slice();
        changed[at] = (changed[at] ?? 0) ^ flip;
        try {
          const { loadFile, sizes } = readCapFile(changed);
          const sent = Object.entries(sizes).reduce(
            (sum, [name, size]) => sum + (name === 'Descriptor' ? 0 : size),
            0,
          );
          expect(loadFile().bytes).toHaveLength(sent);
        } catch (error) {
          if (!(error instanceof CapFileError)) throw error;
        }
      }
    }
  });
});

describe('archives made to take more than they are', () => {
  const parts = smallPackage();

  /** Central directory entries, all of the one member that is there; every name another. */
  function overlapping(count: number, declared: number): Uint8Array {
    const data = zipSync({ 'x/javacard/Method.cap': new Uint8Array(100_000) });
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    const end = data.length - 22;
    const start = view.getUint32(end + 16, true);
    const entry = data.slice(start, end);
    const names = ['Header', 'Class', 'Import', 'Applet', 'Export', 'Method', 'ConstantPool', 'StaticField'];
    const entries = Array.from({ length: count }, (_, i) => {
      const name = new TextEncoder().encode(`${i}/javacard/${names[i % names.length]}.cap`);
      const head = entry.slice(0, 46);
      const fields = new DataView(head.buffer);
      fields.setUint32(24, declared, true);
      fields.setUint16(28, name.length, true);
      fields.setUint16(30, 0, true);
      fields.setUint16(32, 0, true);
      return concat(head, name);
    });
    const directory = concat(...entries);
    const tail = data.slice(end);
    const fields = new DataView(tail.buffer);
    fields.setUint16(8, count, true);
    fields.setUint16(10, count, true);
    fields.setUint32(12, directory.length, true);
    return concat(data.slice(0, start), directory, tail);
  }

  it.each([
    ['many members over one another', overlapping(3_000, 100_000)],
    ['members over one another that declare little', overlapping(3_000, 10)],
    ['members over one another that declare much', overlapping(8, 0xfffffff0)],
    [
      'a directory that says it has more than it has',
      (() => {
        const bytes = archive(parts);
        new DataView(bytes.buffer, bytes.byteOffset).setUint16(bytes.length - 12, 4_000, true);
        return bytes;
      })(),
    ],
    [
      'a directory that begins behind the end',
      (() => {
        const bytes = archive(parts);
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 6, 0xfffffff0, true);
        return bytes;
      })(),
    ],
    [
      'a directory that begins at itself',
      (() => {
        const bytes = archive(parts);
        new DataView(bytes.buffer, bytes.byteOffset).setUint32(bytes.length - 6, bytes.length - 22, true);
        return bytes;
      })(),
    ],
    [
      'components over a megabyte together',
      (() => {
        const one = sequence(parts);
        return concat(...Array.from({ length: Math.ceil((1 << 20) / one.length) + 1 }, () => one));
      })(),
    ],
    [
      'the end of an archive and nothing else',
      fromHex(`504B0506${'00'.repeat(4)}FFFFFFFF${'FF'.repeat(10)}`),
    ],
  ])('%s: refused, with little memory', (_name, bytes) => {
    const before = process.memoryUsage().arrayBuffers;
    expect(() => readCapFile(bytes)).toThrow(CapFileError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20);
  });
});
