/** A server that dies at each commit of a job, just before or just after it: asked again, it comes to the same record. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerStep } from '../../../app/keyserver/jobs/answer-step.ts';
import type { JobContext } from '../../../app/keyserver/jobs/context.ts';
import { startJob } from '../../../app/keyserver/jobs/start-job.ts';
import { readCardRecord } from '../../../app/keyserver/records/card-record.ts';
import type { Store } from '../../../app/keyserver/store/open.ts';
import type { Wish } from '../../../app/protocol/wire.ts';
import { CALLER, request, runBatch } from '../../support/forwarder.ts';
import { type IssuerRig, openIssuerRig, randomDigits } from '../../support/issuer-rig.ts';
import { MOVING, MOVING_TYPES } from '../../support/moving-types.ts';
import { type OtherTypesRig, openOtherTypes } from '../../support/other-type.ts';
import { STORES } from '../../support/postgresql.ts';
import { timeless } from '../../support/timeless.ts';

const STORIES: [string, Wish[], string | undefined][] = [
  ['enabling', [{ app: 'e-wallet', action: 'enable' }], 'e-wallet'],
  ['loading and enabling', [{ app: 'campus-meal', action: 'enable' }], undefined],
  ['deleting', [{ app: 'transit', action: 'delete' }], undefined],
  [
    'all of it',
    [
      { app: 'identity', action: 'enable' },
      { app: 'campus-meal', action: 'enable' },
      { app: 'transit', action: 'delete' },
    ],
    undefined,
  ],
];

class Killed extends Error {}

/** The store of a process that dies at its n-th commit. */
function dyingStore(store: Store, at: number, when: 'before' | 'after') {
  const state = { commits: 0 };
  const dying = new Proxy(store, {
    get(target, name) {
      if (name !== 'transaction') {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return () => ({
        execute: async <T>(work: Parameters<ReturnType<Store['transaction']>['execute']>[0]): Promise<T> => {
          state.commits += 1;
          const struck = state.commits === at;
          const result = await target.transaction().execute(async (db) => {
            const done = await work(db);
            // Everything is written, and nothing of it will be there.
            if (struck && when === 'before') throw new Killed();
            return done;
          });
          if (struck) throw new Killed();
          return result as T;
        },
      });
    },
  });
  return { dying, state };
}

/** Where a story is told: the server's inside, and cards of a type. */
type Place = Pick<IssuerRig, 'context'> & {
  newCard(): Pick<ReturnType<IssuerRig['newCard']>, 'card' | 'identification'>;
};

/** Runs the wishes on a new card with a server that dies once; its record without names and times. */
async function run(
  place: Place,
  wishes: Wish[],
  opening: string | undefined,
  at: number,
  when: 'before' | 'after',
) {
  const { card, identification } = place.newCard();
  const { dying, state } = dyingStore(place.context.store, at, when);
  let context: JobContext = { ...place.context, store: dying };
  const asked = await request(card, place.context, randomDigits(16), wishes, opening);
  const again = async <T>(send: () => Promise<T>): Promise<T> => {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      // The station asks again, unchanged; the next process knows what is in the store and nothing else.
      context = place.context;
      return await send();
    }
  };
  const started = await again(() => startJob(context, CALLER, asked));
  let batch = started.batch;
  while (batch !== undefined) {
    const { seq } = batch;
    const report = await runBatch(card, batch);
    const next = await again(() => answerStep(context, CALLER, started.job, seq, report));
    batch = 'batch' in next ? next.batch : undefined;
  }
  const record = await readCardRecord(place.context.store, identification);
  const counted = await place.context.store
    .selectFrom('counters')
    .select(['scope', 'count'])
    .where('subject', '=', identification)
    .orderBy('scope')
    .execute();
  return {
    struck: context === place.context,
    commits: state.commits,
    final: { ...timeless(record), counted },
  };
}

/** Kills at every commit, before and after it: the same record each time. */
async function sweep(place: Place, wishes: Wish[], opening: string | undefined) {
  const whole = await run(place, wishes, opening, 0, 'after');
  expect(whole.struck).toBe(false);
  expect(whole.final.jobs).toMatchObject([{ result: 'complete', ended: true }]);
  expect(whole.commits).toBeGreaterThan(2);
  for (const when of ['before', 'after'] as const) {
    for (let at = 1; at <= whole.commits; at += 1) {
      const { struck, final } = await run(place, wishes, opening, at, when);
      expect(struck, `${when} commit ${at}`).toBe(true);
      expect(final, `${when} commit ${at}`).toEqual(whole.final);
    }
  }
}

describe.each(STORES)('on $title', ({ kind, skip }) => {
  if (skip) {
    it.skip('left out', () => undefined);
    return;
  }
  let rig: IssuerRig;
  beforeAll(async () => {
    rig = await openIssuerRig(undefined, kind);
  });
  afterAll(() => rig.close());

  it.each(STORIES)('%s', async (_name, wishes, opening) => sweep(rig, wishes, opening));
});

describe('cards that get the issuer’s own domain keys', () => {
  let types: OtherTypesRig;
  beforeAll(async () => {
    types = await openOtherTypes(MOVING_TYPES);
  });
  afterAll(() => types.close());

  it.each(MOVING)('of type %s', async (id) => {
    const place = { context: types.context, newCard: () => types.type(id).newCard() };
    await sweep(place, [{ app: 'e-wallet', action: 'enable' }], undefined);
  });
});
