/** The same request asked again while the first is carried out: the second reads a moment before the first is done, and gets its reply. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openStore } from '../../../app/keyserver/store/open.ts';
import type { Store } from '../../../app/keyserver/store/store.ts';
import { issuerRig, randomDigits } from '../../support/issuer-rig.ts';
import { answerStep, type JobContext, onEveryStore, startJob, type Wish } from '../../support/jobs.ts';
import { CALLER, ENABLE, runBatch } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  let second: Store;
  beforeAll(async () => {
    second = await openStore(rig.store);
  });
  afterAll(() => second.destroy());

  it.each([1, 2, 3, 4])('each answer, first done behind query %i of the second', async (query) => {
    const { card } = rig.newCard();
    const { job, batch: started } = await startJob(
      rig.context,
      CALLER,
      await rig.request(card, randomDigits(16), ENABLE),
    );
    let batch = started;
    while (batch !== undefined) {
      const { seq } = batch;
      const report = await runBatch(card, batch);
      let first: Awaited<ReturnType<typeof answerStep>> | undefined;
      const late = behind(query, async () => {
        first = await answerStep(rig.context, CALLER, job, seq, report);
      });
      expect(await answerStep(late, CALLER, job, seq, report)).toEqual(first);
      batch = first !== undefined && 'batch' in first ? first.batch : undefined;
    }
  });

  it.each([1, 3, 5, 7, 9])('a beginning, first done behind query %i of the second', async (query) => {
    const { card } = rig.newCard();
    const asked = await rig.request(card, randomDigits(16), DELETE);
    let first: Awaited<ReturnType<typeof startJob>> | undefined;
    const late = behind(query, async () => {
      first = await startJob(rig.context, CALLER, asked);
    });
    expect(await startJob(late, CALLER, asked)).toEqual(first);
  });

  /** A server beside the rig's, in which `work` is done once so many of its queries have their result. */
  function behind(query: number, work: () => Promise<void>): JobContext {
    let asked = 0;
    const store = second.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        asked += 1;
        if (asked === query) await work();
        return result;
      },
    });
    return { ...rig.context, store };
  }
});

/** A purse, so that a second person's confirmation is used up by whoever is first. */
const DELETE: Wish[] = [{ app: 'transit', action: 'delete' }];
