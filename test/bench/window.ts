/** How long the window takes to be of use, and a card to be on it, with the realistic card: `npm run bench -- window`. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const noticed: number[] = [];
  const shown: number[] = [];
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
        // A hand does not keep in step with pcscd's looks.
        await sleep(1_000 + Math.random() * 400);
        const looks = looksIn(stage.station).length;
        // Page and bench are on one machine, hence on one clock.
        const began = Date.now();
        await stage.readers.insert(card, 'realistic');
        const seen = await window.waitForList();
        list.push(seen.list - began);
        noticed.push(seen.noticed - began);
        shown.push(seen.list - seen.noticed);
        look.push(await nextLook(stage.station, looks));
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
    noticedMs: spread(noticed),
    shownMs: spread(shown),
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
  // vpcd takes a new card in over three of pcscd's looks, one every 200 ms; a real reader tells by itself.
  console.log(`    until pcscd noticed it       ${line(result.noticedMs)}`);
  console.log(`    from there to the list       ${line(result.shownMs)}`);
  console.log(`    of that the card itself      ${line(result.lookMs)}`);
  if (result.load > result.cores)
    console.log(`  the machine was busy: load ${result.load} on ${result.cores} cores`);
  return result;
}

/** How long the card took to say what staff see, as the engine wrote it down once it had read the rest too: the commands alone. */
async function nextLook(station: string, known: number): Promise<number> {
  for (;;) {
    const look = looksIn(station)[known];
    if (look !== undefined) return look;
    await sleep(20);
  }
}

function looksIn(station: string): number[] {
  const file = join(station, 'station.log');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return lines
    .filter((text) => text.includes('"event":"look"'))
    .map((text) => {
      const { durationMs }: { durationMs?: number } = JSON.parse(text);
      return durationMs ?? Number.NaN;
    });
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b).map(Math.round);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, worst: sorted.at(-1) ?? 0 };
}

const line = ({ median, worst }: Spread) => `${String(median).padStart(5)} ${String(worst).padStart(6)}`;
