/** An app leaves the card's type while a job on it runs: the job ends with a code, and what the card said is on record. */
import { describe, expect, it } from 'vitest';
import { enable } from '../../support/forwarder.ts';
import { batchOf, issuerRig, type JobContext, outcomeOf, randomDigits } from '../../support/jobs.ts';
import { verbsOf } from '../../support/rig-verbs.ts';
import { advance, runBatch } from '../../support/visits.ts';

const rig = issuerRig();

describe('an app that the type no longer carries', () => {
  it.each([
    ['before anything was written', 0, 'refused', 1],
    ['while its first write is out', 1, 'partial', 2],
  ] as const)('fails in the job that works on it: %s', async (_when, steps, result, candidates) => {
    const { card, identification } = rig.newCard();
    const started = await rig.start(
      await rig.request(card, randomDigits(16), enable('e-wallet'), 'e-wallet'),
    );
    const batch = await advance(card, rig.context, started, steps);
    if (batch === undefined) throw new Error('the job is over');
    const report = await runBatch(card, batch);
    const narrow = verbsOf(without('e-wallet'));
    const reply = await narrow.answer(started.job, batch.seq, report);
    expect(await narrow.carry(card, { ...started, batch: batchOf(reply) })).toMatchObject({
      result,
      error: 'app-not-for-this-card',
      apps: [{ app: 'e-wallet', error: 'app-not-for-this-card' }],
    });
    // Whether the key was written the rule alone could read off the answer: both stay possible.
    const known = await rig.state(identification);
    expect(known.apps['e-wallet']?.keys?.['mtk']?.candidates).toHaveLength(candidates);
    expect((await rig.record(identification)).jobs[0]?.ended).not.toBeNull();
  });

  it('fails alone when its turn had not come', async () => {
    const { card } = rig.newCard();
    const started = await rig.start(
      await rig.request(card, randomDigits(16), enable('e-wallet', 'identity'), 'e-wallet'),
    );
    const batch = batchOf(started);
    const narrow = verbsOf(without('identity'));
    const reply = await narrow.answer(started.job, batch.seq, await runBatch(card, batch));
    const outcome = await narrow.carry(card, { ...started, batch: batchOf(reply) });
    expect(outcome).toMatchObject({
      result: 'partial',
      error: 'app-not-for-this-card',
      apps: [
        { app: 'e-wallet', after: 'enabled' },
        { app: 'identity', after: 'installed', error: 'app-not-for-this-card' },
      ],
    });
  });

  it('that was just installed stays in doubt, since nothing says which keys it came with', async () => {
    const { card, identification } = rig.newCard();
    const started = await rig.start(await rig.request(card, randomDigits(16), enable('campus-meal')));
    const before = batchOf(started);
    const narrow = verbsOf(without('campus-meal'));
    const reply = await narrow.answer(started.job, before.seq, await runBatch(card, before));
    expect(outcomeOf(reply)).toMatchObject({ result: 'partial', error: 'app-not-for-this-card' });
    expect((await rig.state(identification)).apps['campus-meal']).toMatchObject({
      inDoubt: true,
      keys: null,
    });
  });
});

const without = (gone: string): JobContext => {
  const profiles = rig.context.catalogue.profiles.map((profile) => ({
    ...profile,
    apps: Object.fromEntries(Object.entries(profile.apps).filter(([app]) => app !== gone)),
  }));
  return { ...rig.context, catalogue: { ...rig.context.catalogue, profiles } };
};
