/** The simulator's own card in a rig, reached through PC/SC. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../app/card/bytes.ts';
import type { ReaderPort } from '../../../app/card/reader-port.ts';
import { saveCardFile } from '../../../app/simulator/card-file.ts';
import { type Rig, type RigEvent, rigAvailability, startRig } from '../../../app/simulator/rig/index.ts';
import { openPcsc } from '../../../app/station/readers/pcsc/index.ts';
import { fault, reader, until } from '../../station/readers/pcsc/port-contract.ts';
import { image } from '../card/host.ts';

const here = await rigAvailability();

describe.skipIf(!here.available)('a virtual card over pcscd', () => {
  let folder = '';
  let file = '';
  let rig: Rig;
  let port: ReaderPort;
  const events: RigEvent[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rig-'));
    file = join(folder, 'card.json');
    await saveCardFile(file, image());
    rig = await startRig({ folder, readers: 2 });
    rig.subscribe((event) => events.push(event));
    port = openPcsc({ socketPath: rig.socketPath });
  });
  afterAll(async () => {
    await port.close();
    await rig.close();
    await rm(folder, { recursive: true, force: true });
  });

  const present = (name: string) => until(port, (state) => reader(state, name)?.card === 'present');

  it('is looked at', async () => {
    const [name = ''] = rig.readerNames;
    await rig.insert(0, file, { latency: 'none' });
    await present(name);
    const card = await port.connect(name);
    expect(toHex(card.atr)).toBe(ATR);
    expect(toHex(await card.transmit(SELECT_ISD)).slice(-4)).toBe('9000');
    expect(toHex(await card.transmit(SELECT_WALLET)).slice(-4)).toBe('9000');
    expect(toHex(await card.transmit(READ_PUBLIC_FILE))).toMatch(/^4B41494B41000000.*9000$/);
    await card.disconnect();
    await rig.remove(0);
  });

  it('tears itself at the command asked for, and is whole when it comes back', async () => {
    const [, name = ''] = rig.readerNames;
    events.length = 0;
    await rig.insert(1, file, { tear: { at: 2, ins: READ_BINARY, when: 'after' } });
    await present(name);
    const card = await port.connect(name);
    await card.transmit(SELECT_WALLET);
    const content = toHex(await card.transmit(READ_PUBLIC_FILE));
    expect(await fault(card.transmit(READ_PUBLIC_FILE))).toBe('card-removed');
    await card.disconnect();
    await until(port, (state) => reader(state, name)?.card === 'absent');
    expect(events).toEqual([{ event: 'torn', reader: 1 }]);
    await rig.insert(1, file);
    await present(name);
    const again = await port.connect(name);
    await again.transmit(SELECT_WALLET);
    expect(toHex(await again.transmit(READ_PUBLIC_FILE))).toBe(content);
    await again.disconnect();
  });
});

/** The data sheet's ATR and ISD, and its public file of the e-wallet. */
const ATR = '3B85014B41494B41CD';

const SELECT_ISD = fromHex('00A4040000');

const SELECT_WALLET = fromHex('00A4040009F04B41494B4101000100');

const READ_PUBLIC_FILE = fromHex('00B095001E');

const READ_BINARY = 0xb0;
