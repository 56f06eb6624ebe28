/** How long the window takes to be of use, and a card to be on it, with the realistic card: `npm run bench -- window`. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import setup from '../e2e/support/global-setup.ts';
import { openForMeasuring } from '../e2e/support/measure.ts';
import { dataFolder, openStage } from '../e2e/support/stage.ts';

const RUNS = 7;
/** Milliseconds; what the station promises. */
const LIMITS = { paint: 1_000, list: 1_000 };

interface Spread {
  readonly median: number;
  readonly worst: number;
}

export async function run(): Promise<unknown> {
  const tidy = await setup();
  const data = dataFolder();
  const stage = await openStage(data.folder);
  const paint: number[] = [];
  const start: number[] = [];
  const list: number[] = [];
  const look: number[] = [];
  let electron = '';
  try {
    for (let at = 0; at < RUNS; at += 1) {
      const window = await openForMeasuring(stage.station);
      electron = window.electron;
      try {
        paint.push(window.paintMs);
        start.push(window.startMs);
        await window.signIn(stage.people.clerk);
        await stage.readers.remove();
        await window.waitForEmpty();
        const card = await stage.newCard();
        // Page and bench are on one machine, hence on one clock.
        const began = Date.now();
        await stage.readers.insert(card, 'realistic');
        list.push((await window.waitForList()) - began);
        look.push(lastLook(stage.station));
      } finally {
        await window.close();
      }
    }
  } finally {
    await stage.close();
    data.remove();
    await tidy();
  }
  const result = {
    electron,
    runs: RUNS,
    paintMs: spread(paint),
    startMs: spread(start),
    listMs: spread(list),
    lookMs: spread(look),
    limitsMs: LIMITS,
    // Another program on the machine makes all of these longer.
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    cores: cpus().length,
  };
  console.log(`Electron ${electron}, ${RUNS} runs; median and worst in ms`);
  console.log(`  window to first useful paint   ${line(result.paintMs)}   at most ${LIMITS.paint}`);
  console.log(`    with the program's own start ${line(result.startMs)}`);
  console.log(`  card in the reader to the list ${line(result.listMs)}   at most ${LIMITS.list}`);
  console.log(`    of that the card itself      ${line(result.lookMs)}`);
  if (result.load > result.cores)
    console.log(`  the machine was busy: load ${result.load} on ${result.cores} cores`);
  return result;
}

/** How long the card took to say what is on it, as the engine wrote it down: the commands alone. */
function lastLook(station: string): number {
  const lines = readFileSync(join(station, 'station.log'), 'utf8').trim().split('\n').reverse();
  const last = lines.find((text) => text.includes('"event":"look"')) ?? '{}';
  const { durationMs }: { durationMs?: number } = JSON.parse(last);
  return durationMs ?? Number.NaN;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}

const line = ({ median, worst }: Spread) => `${String(median).padStart(5)} ${String(worst).padStart(6)}`;
