/** Two server processes under load, killed at random moments: no card is spoiled, and every job is on record once. */
import { expect, it } from 'vitest';
import { onEveryStore, type Wish } from '../../support/api.ts';
import { issueOver, openServerSite, type ServerInstance, type Site } from '../../support/site.ts';

onEveryStore((kind) => {
  it(`${KILLS} kills while ${STATIONS} stations issue card after card`, async () => {
    const site = await openServerSite(kind);
    try {
      await underFire(site);
    } finally {
      await site.close();
    }
  });
});

const STATIONS = 4;
const KILLS = 2;

async function underFire(site: Site): Promise<void> {
  const instances: ServerInstance[] = await Promise.all([site.start(), site.start()]);
  const ports = instances.map(({ port }) => port);
  const stations = await Promise.all(
    // Half of them begin with each instance.
    Array.from({ length: STATIONS }, (_, at) =>
      site.station(`station-${at}`, at % 2 === 0 ? ports : [...ports].reverse()),
    ),
  );
  let over = false;
  const issued: Awaited<ReturnType<typeof issueOver>>[] = [];
  const work = stations.map(async (station, at) => {
    for (let turn = at; !over; turn += 1) {
      const story = STORIES[turn % STORIES.length];
      if (story === undefined) throw new Error('no story');
      issued.push(await issueOver(site, station, story.wishes, story.opening));
    }
  });
  const fire = async () => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 1_200));
      const at = kill % 2;
      await instances[at]?.kill();
      // The other one is alone for a while; then this one comes back where it was.
      instances[at] = await site.start(ports[at]);
    }
    over = true;
  };
  await Promise.all([
    fire().finally(() => {
      over = true;
    }),
    ...work,
  ]);

  expect(issued.length).toBeGreaterThan(STATIONS);
  for (const { card, identification, account, outcome } of issued) {
    expect(outcome).toMatchObject({ card: identification, result: 'complete' });
    expect(outcome.trips).toBe(outcome.plannedTrips);
    const record = await site.rig.record(identification);
    expect(record.jobs).toMatchObject([{ result: 'complete' }]);
    expect(record).toMatchObject({ setAside: null });
    if (record.issued) expect(record.account).toBe(account);
    // What the card says is what the record says, and nothing is in doubt.
    card.reset();
    const { observed } = await site.rig.look(card);
    for (const app of record.apps) {
      expect(app.inDoubt, app.app).toBe(false);
      expect(observed.find((one) => one.app === app.app)?.state, app.app).toBe(app.state);
    }
  }
  // Every command is on record once, in the order it was sent.
  const doubles = await site.rig.context.store
    .selectFrom('job_commands')
    .select(['job', 'seq', 'position'])
    .groupBy(['job', 'seq', 'position'])
    .having((count) => count.fn.countAll(), '>', 1)
    .execute();
  expect(doubles).toEqual([]);
  const jobs = await site.rig.context.store.selectFrom('jobs').select('id').execute();
  expect(jobs).toHaveLength(issued.length);
  const leases = await site.rig.context.store.selectFrom('leases').select('card').execute();
  expect(leases).toEqual([]);
}

const STORIES: { wishes: Wish[]; opening?: string }[] = [
  { wishes: [{ app: 'e-wallet', action: 'enable' }], opening: 'e-wallet' },
  { wishes: [{ app: 'transit', action: 'delete' }] },
  {
    wishes: [
      { app: 'e-wallet', action: 'enable' },
      { app: 'campus-meal', action: 'enable' },
      { app: 'transit', action: 'delete' },
    ],
  },
];
