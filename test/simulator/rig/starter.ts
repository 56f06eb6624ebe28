/** A process that starts a rig and stays; killed by rig.test.ts, or run by it as another user. */
import { RigError, startRig } from '../../../app/simulator/rig/index.ts';

const [, , folder = '', cards = '', task = ''] = process.argv;
try {
  const rig = await startRig({ folder, readers: 2, cards });
  process.stdout.write(`${JSON.stringify({ socketPath: rig.socketPath, entry: rig.entry })}\n`);
  if (task === 'close') await rig.close();
  else setInterval(() => undefined, 1000);
} catch (error) {
  process.stdout.write(`${JSON.stringify({ failed: error instanceof RigError ? error.code : 'unknown' })}\n`);
}
