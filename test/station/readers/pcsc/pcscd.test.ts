/** The port over a real pcscd, in a rig. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { type RigAvailability, rigAvailability, startRig } from '../../../../app/simulator/rig/index.ts';
import { openPcsc } from '../../../../app/station/readers/pcsc/index.ts';
import { ECHO_ATR } from '../../../simulator/rig/echo-card.ts';
import { type Bench, describeReaderPort } from './port-contract.ts';

const here: RigAvailability = await rigAvailability();

if (here.available) describeReaderPort('openPcsc over pcscd', open);
else describe.skip('openPcsc over pcscd', () => it(`no rig here: ${here.obstacle}`, () => undefined));

async function open(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'pcsc-'));
  const cards = fileURLToPath(new URL('../../../simulator/rig/echo-card.ts', import.meta.url));
  const rig = await startRig({ folder, readers: 2, cards });
  const port = openPcsc({ socketPath: rig.socketPath });
  return {
    port,
    readers: rig.readerNames,
    insert: async (reader, atr = ECHO_ATR) => {
      const file = join(folder, `card-${reader}`);
      await writeFile(file, atr);
      await rig.insert(reader, file);
    },
    remove: rig.remove,
    stopService: rig.stopService,
    startService: rig.startService,
    close: async () => {
      await port.close();
      await rig.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
