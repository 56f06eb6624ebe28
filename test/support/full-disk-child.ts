/** A station on a small disk of its own (the folder named), filled at the worst moments of the scenario named. Prints what it saw. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KaikaError } from '../../app/protocol/errors.ts';
import { ScriptedCard } from './scripted-card.ts';
import { openTestStation, type TestStation } from './station.ts';

const WISH = { account: '6222000000000001', wishes: [{ app: 'e-wallet', action: 'enable' as const }] };

/** Writes until nothing more fits. */
function fill(disk: string): void {
  for (let size = 65_536, part = 0; size >= 1; part += 1) {
    try {
      writeFileSync(join(disk, `filler-${part}`), Buffer.alloc(size, 1));
    } catch {
      size = Math.floor(size / 4);
    }
  }
}

function empty(disk: string): void {
  for (let part = 0; part < 200; part += 1) rmSync(join(disk, `filler-${part}`), { force: true });
}

async function begin(station: TestStation): Promise<string> {
  try {
    return await station.engine.startJob('A', WISH);
  } catch (error) {
    return error instanceof KaikaError ? error.code : String(error);
  }
}

async function open(disk: string, card: ScriptedCard): Promise<TestStation> {
  const station = await openTestStation({
    folder: join(disk, 'station'),
    journal: { reserve: { reserveBytes: 256 * 1024, freeBytes: 64 * 1024 } },
  });
  station.readers.insert('A', card);
  await station.until(() => station.reader().kind === 'card', 'card');
  return station;
}

/** Full before a job, and again from its first reply to its end. */
async function fullFromTheBeginning(disk: string): Promise<unknown> {
  const card = new ScriptedCard();
  const station = await open(disk, card);
  fill(disk);
  const refused = await begin(station);
  const untouched = card.effects.length === 0 && station.server.log.length === 0;

  empty(disk);
  station.server.after = (what) => {
    if (what === 'job') fill(disk);
  };
  const id = await begin(station);
  const finished = await station.until(() => {
    const state = station.job(id)?.state;
    return state?.kind === 'done' && state.outcome.result;
  }, 'done');
  await station.until(() => {
    const state = station.reader();
    return state.kind === 'job' && state.look !== null;
  }, 'read again');
  const again = await begin(station);
  empty(disk);
  station.server.after = () => undefined;
  const later = (await begin(station)).length === 36;
  await station.engine.close();
  await station.readers.close();
  return { refused, untouched, finished, written: [...card.written], again, later };
}

/** Full when only the end is left to be written: the reserve is still whole then. */
async function fullAtTheEnd(disk: string): Promise<unknown> {
  const card = new ScriptedCard();
  const station = await open(disk, card);
  station.server.after = (what) => {
    if (what === `answers ${station.server.steps}`) fill(disk);
  };
  const id = await begin(station);
  const end = await station.until(() => {
    const state = station.job(id)?.state;
    return (state?.kind === 'done' || state?.kind === 'failed') && state.kind;
  }, 'end');
  await station.engine.close();
  await station.readers.close();
  return { end, reserve: existsSync(join(disk, 'station', 'reserve')) };
}

const SCENARIOS: Readonly<Record<string, (disk: string) => Promise<unknown>>> = {
  'full-from-the-beginning': fullFromTheBeginning,
  'full-at-the-end': fullAtTheEnd,
};

const [disk, scenario] = process.argv.slice(2);
const run = SCENARIOS[scenario ?? ''];
if (disk !== undefined && run !== undefined) process.stdout.write(JSON.stringify(await run(disk)));
