/**
 * A process that uses the port as an engine would; started by process.test.ts with the socket and a task, answers in
 * one line of JSON.
 */
import { openPcsc } from '../../../../app/station/readers/pcsc/index.ts';

const [, , socketPath = '', task = '', readerCount = '0'] = process.argv;
const NEVER = Uint8Array.of(0x00, 0xe0, 0x00, 0x00);
const SMALL = Uint8Array.of(0x80, 0x01, 0x00, 0x00, 0x00);

const port = openPcsc({ socketPath, keepAliveMs: 50 });
const tell = (result: unknown): boolean => process.stdout.write(`${JSON.stringify(result)}\n`);

/** The names of all readers, once there are that many with a card. */
function present(): Promise<string[]> {
  return new Promise((resolve) => {
    port.subscribe((state) => {
      if (state.service !== 'running') return;
      const names = state.readers.filter((reader) => reader.card === 'present').map((reader) => reader.name);
      if (names.length >= Number(readerCount)) resolve(names);
    });
  });
}

async function missing(): Promise<unknown> {
  return await new Promise((resolve) => {
    port.subscribe((state) => state.service === 'missing' && resolve(state.fault));
  });
}

async function oneAmongSilent(): Promise<unknown> {
  const names = await present();
  const last = names.pop() ?? '';
  for (const name of names) {
    const silent = await port.connect(name);
    silent.transmit(NEVER).catch(() => undefined);
  }
  const card = await port.connect(last);
  return { silent: names.length, answered: (await card.transmit(SMALL)).length };
}

/** T=0: what the card gets of a case 4 command. */
async function caseFour(): Promise<unknown> {
  const [name = ''] = await present();
  const card = await port.connect(name);
  return Buffer.from(await card.transmit(Uint8Array.of(0x80, 1, 0, 0, 2, 0xaa, 0xbb, 0))).toString('hex');
}

/** A card left alone in a transaction for several keep-alives still has its transaction. */
async function keepAlive(): Promise<unknown> {
  const [name = ''] = await present();
  const card = await port.connect(name);
  await card.beginTransaction();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const answer = await card.transmit(SMALL);
  await card.endTransaction();
  return answer.length;
}

const tasks: Record<string, () => Promise<unknown>> = { missing, oneAmongSilent, caseFour, keepAlive };
tell(await tasks[task]?.());
const started = performance.now();
await port.close();
tell({ closedAfter: Math.round(performance.now() - started) });
