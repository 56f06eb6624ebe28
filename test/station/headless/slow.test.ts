/** A card or a server that answers late is no failure: it is said who is waited for, and what is to be done. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runHeadless, type Told } from '../../../app/station/headless/run.ts';
import type { Clock } from '../../../app/station/ports.ts';
import { LIMIT } from '../../support/limit.ts';
import { openTestStation, ScriptedCard, systemClock, type TestStation } from '../../support/stations.ts';

let station: TestStation;
let release: () => void;
let held: Promise<void>;
beforeEach(async () => {
  station = await openTestStation();
  held = new Promise((resolve) => {
    release = resolve;
  });
});
afterEach(async () => {
  release();
  await station.close();
});

it.each([
  ['card', 'card-slow'],
  ['server', 'server-slow'],
] as const)('a slow %s: %s, and the job stays in hand', async (who, code) => {
  const card = new ScriptedCard();
  let tellReached: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    tellReached = resolve;
  });
  const hold = () => {
    tellReached();
    return held;
  };
  // The second write of the job, so that something was done before.
  if (who === 'card') card.delay = (command) => (command.startsWith('80F002') ? hold() : Promise.resolve());
  else station.server.before = (what) => (what === 'answers 1' ? hold() : undefined);
  station.readers.insert('A', card);
  const told: Told[] = [];
  // The limit passes when card or server is at it, however long this machine takes until then.
  const clock: Clock = {
    ...systemClock,
    sleep: (ms, signal) => (ms === HALT ? reached : systemClock.sleep(ms, signal)),
  };
  const result = await runHeadless(
    {
      engine: station.engine,
      clock,
      tell: (one) => told.push(one),
      cardLimitMs: LIMIT,
      haltLimitMs: HALT,
    },
    {
      wishes: [{ app: 'e-wallet', action: 'enable' }],
      operator: 'op1',
      secret: 'secret',
      account: async () => '6217001234567890',
    },
  );
  expect(result).toMatchObject({ outcome: 'partial', error: code, card: '6200000000000001' });
  expect(told).toContainEqual({ kind: 'error', code, details: {} });
  const [job] = station.engine.snapshot().jobs;
  expect(job?.state.kind).toBe('working');
  release();
  await station.until(() => station.job(job?.id ?? '')?.state.kind === 'done', 'the end');
});

const HALT = 30_000;
