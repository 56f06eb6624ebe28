/** Readers whose names are no UTF-8: to PC/SC a name is bytes, and one that comes back changed would make all readers unusable. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rigAvailability, startRig } from '../../../../app/simulator/rig/index.ts';
import { openPcsc } from '../../../../app/station/readers/pcsc/index.ts';
import { ReaderNames } from '../../../../app/station/readers/pcsc/reader-names.ts';
import { ECHO_ATR } from '../../../simulator/rig/echo-card.ts';
import { LIMIT } from '../../../support/limit.ts';

const here = await rigAvailability();

it.skipIf(!here.available)('a reader with such a name is used, and the one beside it too', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pcsc-'));
  const cards = fileURLToPath(new URL('../../../simulator/rig/echo-card.ts', import.meta.url));
  const rig = await startRig({ folder, readers: 4, cards, names: ['Good Reader', 'cyberJack® RFID'] });
  const port = openPcsc({ socketPath: rig.socketPath });
  try {
    const file = join(folder, 'card');
    await writeFile(file, ECHO_ATR);
    for (const reader of [0, 2]) await rig.insert(reader, file);
    const names = await new Promise<string[]>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not seen: ${JSON.stringify(port.state)}`)), LIMIT);
      const look = (state: typeof port.state) => {
        if (state.service !== 'running') return;
        const there = state.readers.filter(({ card }) => card === 'present').map(({ name }) => name);
        if (there.length < 2) return;
        clearTimeout(timer);
        resolve(there);
      };
      port.subscribe(look);
      look(port.state);
    });
    expect(names).toEqual(['Good Reader 00 00', 'cyberJack® RFID 00 00']);
    for (const name of names) {
      const card = await port.connect(name);
      expect(card.atr.length).toBeGreaterThan(0);
      await card.disconnect();
    }
  } finally {
    await port.close();
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  }
});

describe('a list of names', () => {
  const list = (...parts: (string | number[])[]) =>
    Buffer.concat(
      parts.map((part) => Buffer.concat([Buffer.from(part), Buffer.of(0)])).concat([Buffer.of(0)]),
    );
  const LATIN = [0x52, 0xae, 0x20, 0x31];

  it('in UTF-8 is read as that, and given back as text', () => {
    const names = new ReaderNames('utf8');
    expect(names.read(list('Good Reader', 'cyberJack® RFID'))).toEqual(['Good Reader', 'cyberJack® RFID']);
    expect(names.given('cyberJack® RFID')).toBe('cyberJack® RFID');
  });

  it('in which one is no UTF-8 keeps the others, and gives that one back byte for byte', () => {
    const names = new ReaderNames('utf8');
    expect(names.read(list('Good Reader', LATIN))).toEqual(['Good Reader', 'R® 1']);
    expect(names.given('R® 1')).toEqual(Uint8Array.from([...LATIN, 0]));
    expect(names.given('Good Reader')).toBe('Good Reader');
  });

  it('in which two look the same has the first of them', () => {
    const names = new ReaderNames('utf8');
    expect(names.read(list('R® 1', LATIN))).toEqual(['R® 1']);
    expect(names.given('R® 1')).toBe('R® 1');
  });

  it('of Windows is wide', () => {
    const names = new ReaderNames('utf16le');
    expect(names.read(Buffer.from('Good Reader\0cyberJack® RFID\0\0', 'utf16le'))).toEqual([
      'Good Reader',
      'cyberJack® RFID',
    ]);
  });
});
