/** Two stations and one card, over whole engines, processes and lines: what one still has to say when the other was there, and swapped cards. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { KaikaError } from '../../app/protocol/errors.ts';
import { openVirtualReaders, type VirtualReaders } from '../../app/simulator/virtual-reader.ts';
import { type Engine, openEngine } from '../../app/station/engine.ts';
import { systemClock } from '../../app/station/ports.ts';
import { createServerClient, UnreachedError } from '../../app/station/server/client.ts';
import { type Outcome, onEveryStore, randomDigits } from '../support/jobs.ts';
import { openServerSite, SECRET, type ServerInstance, type Site } from '../support/site.ts';
import { demoCatalogue, temporaryFolder, until } from '../support/station.ts';
import { type CardDevice, ENABLE, triesLeft } from '../support/visits.ts';

onEveryStore((kind) => {
  let site: Site;
  let server: ServerInstance;
  const branches: Branch[] = [];
  beforeAll(async () => {
    site = await openServerSite(kind, {}, { leaseSeconds: LEASE_SECONDS });
    server = await site.start();
  });
  afterAll(async () => {
    for (const branch of branches) await branch.close();
    await site?.close();
  });

  async function open(name: string): Promise<Branch> {
    const folder = temporaryFolder();
    const readers = openVirtualReaders([READER]);
    const options = await site.line(name, [server.port]);
    const line: Branch['line'] = { cut: false, before: () => undefined };
    const engine = openEngine({
      folder,
      readers,
      catalogue: demoCatalogue(),
      clock: systemClock,
      server: (memory) => {
        const client = createServerClient({ ...options, clock: systemClock, ...memory });
        return {
          ...client,
          async postAnswers(...given) {
            await line.before();
            if (line.cut) throw new UnreachedError('server-away', 'cut', false);
            return client.postAnswers(...given);
          },
        };
      },
    });
    await engine.signIn('clerk', SECRET);
    const branch: Branch = {
      engine,
      readers,
      line,
      async close() {
        await engine.close();
        await readers.close();
        rmSync(folder, { recursive: true, force: true });
      },
    };
    branches.push(branch);
    return branch;
  }

  const insert = (branch: Branch, card: CardDevice) => {
    branch.readers.insert(READER, card);
    return until(
      branch.engine,
      () => {
        const state = branch.engine.snapshot().readers[0]?.state;
        return state?.kind === 'card' ? state.look.identification : undefined;
      },
      'the card',
    );
  };
  const state = (branch: Branch, job: string) =>
    branch.engine.snapshot().jobs.find(({ id }) => id === job)?.state;
  const outcome = (branch: Branch, job: string): Promise<Outcome> =>
    until(
      branch.engine,
      () => {
        const now = state(branch, job);
        return now?.kind === 'done' && now.outcome;
      },
      'the outcome',
    );

  it('what one station reports after the other recovered its card goes to the log, and changes nothing', async () => {
    const [a, b] = [await open('branch-a'), await open('branch-b')];
    const { card, identification } = site.rig.newCard();
    const account = randomDigits(16);
    await insert(a, card);
    // The master control key was written; the report of it does not get through.
    a.line.before = () => {
      const current = a.engine.snapshot().jobs[0]?.progress.current?.step;
      if (current === 'challenge' && a.engine.snapshot().jobs[0]?.progress.steps[0]?.state === 'running')
        reports += 1;
      a.line.cut = reports >= 3;
    };
    let reports = 0;
    const job = await a.engine.startJob(READER, { account, wishes: ENABLE });
    await until(a.engine, () => state(a, job)?.kind === 'waiting-for-server', 'the cut line');
    a.readers.remove(READER);
    card.reset();
    await insert(b, card);
    // Until the lease has run out the card is the first station's.
    const refused: string[] = [];
    let taken: string | undefined;
    while (taken === undefined) {
      const begun = await b.engine.startJob(READER, { account, wishes: ENABLE });
      const end = await until(
        b.engine,
        () => {
          const now = state(b, begun);
          return (now?.kind === 'done' || now?.kind === 'failed') && now;
        },
        'an end',
      );
      if (end.kind === 'failed') refused.push(end.code);
      else taken = begun;
      if (end.kind === 'done') expect(end.outcome.result).toBe('complete');
      if (refused.length > 0) await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(refused.length).toBeGreaterThan(0);
    expect(new Set(refused)).toEqual(new Set(['card-in-use']));
    const before = await site.rig.record(identification);
    const ends: string[] = [];
    a.engine.subscribe((told) => {
      if (told.kind === 'job' && told.job.id === job && told.job.state.kind === 'failed')
        ends.push(told.job.state.code);
    });
    a.line.before = () => undefined;
    a.line.cut = false;
    await until(a.engine, () => ends.length > 0, 'the refusal');
    expect(ends).toEqual(['job-superseded']);
    const after = await site.rig.record(identification);
    const { jobs, ...rest } = after;
    const { jobs: _, ...was } = before;
    expect(rest).toEqual(was);
    expect(jobs.map(({ result, station }) => ({ result, station }))).toEqual([
      { result: 'superseded', station: 'branch-a' },
      { result: 'complete', station: 'branch-b' },
    ]);
    expect(jobs[0]?.late[0]?.sws).toContain('9000');
    expect(triesLeft(card)).toBe(3);
    b.readers.remove(READER);
  });

  it.each([0, 1, 2, 3])(
    'a card swapped within 20 ms while answer %i is on its way gets none of the old card’s commands',
    async (nth) => {
      const c = await open(`branch-c-${nth}`);
      const one = site.rig.newCard();
      const two = site.rig.newCard();
      const got: string[] = [];
      const watched: CardDevice = {
        get atr() {
          return two.card.atr;
        },
        powerOn: () => two.card.powerOn(),
        powerOff: () => two.card.powerOff(),
        reset: () => two.card.reset(),
        transmit: (apdu) => {
          got.push(Buffer.from(apdu).toString('hex').toUpperCase());
          return two.card.transmit(apdu);
        },
      };
      await insert(c, one.card);
      let answers = 0;
      c.line.before = async () => {
        if (answers === nth) {
          c.readers.remove(READER);
          one.card.reset();
          await new Promise((resolve) => setTimeout(resolve, 20 * Math.random()));
          c.readers.insert(READER, watched);
        }
        answers += 1;
      };
      const account = randomDigits(16);
      const job = await c.engine.startJob(READER, { account, wishes: ENABLE });
      await until(c.engine, () => state(c, job)?.kind === 'waiting-for-card', 'the loss');
      await until(
        c.engine,
        () => {
          const now = c.engine.snapshot().readers[0]?.state;
          return now !== undefined && 'look' in now && now.look?.identification === two.identification;
        },
        'the other card',
      );
      // The look and nothing else: no authentication, no key, no file.
      expect(got.filter((apdu) => /^(0082|84D4|80D4|04D6|00D6|0084)/.test(apdu))).toEqual([]);
      await expect(site.rig.record(two.identification)).rejects.toThrow(KaikaError);
      c.readers.remove(READER);
      c.readers.insert(READER, one.card);
      expect(await outcome(c, job)).toMatchObject({ result: 'complete', card: one.identification });
      expect(triesLeft(one.card)).toBe(3);
      await c.close();
      branches.splice(branches.indexOf(c), 1);
    },
  );
});

const READER = 'A';

/** The shortest that may be configured: the other station has to wait for it. */
const LEASE_SECONDS = 5;

interface Branch {
  readonly engine: Engine;
  readonly readers: VirtualReaders;
  /** Cuts the line for answers, or mends it. `before` is called when answers are about to go. */
  line: { cut: boolean; before: () => Promise<void> | void };
  close(): Promise<void>;
}
