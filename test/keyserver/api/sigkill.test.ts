/**
 * A server that is killed, by SIGKILL, at every commit of a job, just before it and just after it; a new process takes over each time. The
 * record at the end is that of a job in which nobody was killed.
 */
import { expect, it } from 'vitest';
import { onEveryStore, type Wish } from '../../support/api.ts';
import { issueOver, openServerSite, type ServerInstance, type Site } from '../../support/site.ts';
import { timeless } from '../../support/timeless.ts';
import { triesLeft } from '../../support/visits.ts';

onEveryStore((kind) => {
  it('the record is the same as without the kills, and the card whole', async () => {
    const site = await openServerSite(kind);
    try {
      const quiet = await site.start();
      const station = await site.station('branch-7', [quiet.port]);
      const whole = await issueOver(site, station, STORY);
      expect(whole.outcome).toMatchObject({ result: 'complete', trips: TRIPS });
      const expected = timeless(await site.rig.record(whole.identification));
      await quiet.kill();
      for (const when of ['before', 'after'] as const) {
        const fire = keepKilling(site, quiet.port, when);
        const { card, identification, outcome } = await issueOver(site, station, STORY);
        const kills = await fire.stop();
        expect(outcome, when).toMatchObject({ result: 'complete', trips: TRIPS });
        expect(kills, when).toBe(TRIPS);
        const record = await site.rig.record(identification);
        expect(timeless(record), when).toEqual(expected);
        expect(triesLeft(card), when).toBe(3);
      }
    } finally {
      await site.close();
    }
  });
});

/**
 * Server after server on one port. `after`: each dies right behind its first commit. `before`: the first before its first; each later one makes
 * the commit that the one before it did not, and dies before the next.
 */
function keepKilling(site: Site, port: number, when: 'before' | 'after') {
  let over = false;
  let kills = 0;
  let running: ServerInstance | undefined;
  const work = (async () => {
    while (!over) {
      running = await site.startDying(port, { at: when === 'before' && kills > 0 ? 2 : 1, when });
      await running.ended;
      if (!over) kills += 1;
    }
  })();
  return {
    async stop(): Promise<number> {
      over = true;
      await running?.kill();
      await work;
      return kills;
    },
  };
}

/** Every type of job in one: opening a channel, loading, installing, enabling twice, deleting. */
const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];

const TRIPS = 11;
