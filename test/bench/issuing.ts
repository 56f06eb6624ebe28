/** How long a clerk waits, on the reference rig: a card at 35 ms an APDU and 48 ms a LOAD block, a WAN in between. */
import { randomDigits } from '../../app/demo/cards.ts';
import type { Wish } from '../../app/protocol/wire.ts';
import { systemClock } from '../../app/station/ports.ts';
import { openWanProxy } from '../support/wan-proxy.ts';
import { cardRead, openWorld, outcomeOf } from '../support/world.ts';

const ROUNDS = 5;

/** Goals: `goal` in milliseconds. */
const CASES: readonly { name: string; roundTrip: number; goal: number; wishes: Wish[] }[] = [
  { name: 'enable one app', roundTrip: 100, goal: 1_500, wishes: [{ app: 'e-wallet', action: 'enable' }] },
  {
    name: 'load and enable 20 KB',
    roundTrip: 250,
    goal: 7_000,
    wishes: [{ app: 'campus-meal', action: 'enable' }],
  },
];

export async function run(): Promise<unknown> {
  const world = await openWorld(1);
  const wan = await openWanProxy(world.server().port);
  const reader = world.readers[0] ?? '';
  const figures: Record<string, unknown> = {};
  try {
    const station = await world.openStation(wan.port);
    const looks: number[] = [];
    for (const { name, roundTrip, goal, wishes } of CASES) {
      wan.setRoundTrip(roundTrip);
      const times: number[] = [];
      let trips = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        await world.rig.insert(0, await world.newCard(), { latency: 'realistic' });
        const seen = performance.now();
        await cardRead(station, reader);
        looks.push(performance.now() - seen);
        const clicked = performance.now();
        const job = await station.startJob(reader, { account: randomDigits(16), wishes });
        trips = (await outcomeOf(station, job)).trips;
        times.push(performance.now() - clicked);
        await world.rig.remove(0);
        await systemClock.sleep(500);
      }
      const worst = Math.round(Math.max(...times));
      figures[name] = { roundTrip, trips, median: median(times), worst, goal };
      console.log(
        `${name}, RTT ${roundTrip} ms: median ${median(times)} ms, worst ${worst} ms of ${ROUNDS}, ${trips} trips (goal ${goal} ms)`,
      );
    }
    figures['look'] = { median: median(looks), worst: Math.round(Math.max(...looks)), goal: 1_000 };
    console.log(
      `card present to full list: median ${median(looks)} ms, worst ${Math.round(Math.max(...looks))} ms (goal 1000 ms)`,
    );
    return figures;
  } finally {
    await wan.close();
    await world.close();
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}
