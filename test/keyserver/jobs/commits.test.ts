/** A server that dies at each commit of a job, just before or just after it: asked again, it comes to the same record. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CommitStory } from '../../support/commit-stories.ts';
import { directServer, openCommitStories, tellStory } from '../../support/commit-stories.ts';
import { type Death, dyingStore } from '../../support/dying-store.ts';
import { onEveryStore } from '../../support/jobs.ts';
import type { OtherTypesRig } from '../../support/other-type.ts';

onEveryStore((kind) => {
  let types: OtherTypesRig;
  let stories: readonly CommitStory[];
  beforeAll(async () => {
    ({ types, stories } = await openCommitStories(kind));
  });
  afterAll(() => types.close());

  /** Tells a story to a server that dies once. */
  async function run(story: CommitStory, death: Death) {
    const { dying, state } = dyingStore(types.context.store, death, die);
    let server = directServer({ ...types.context, store: dying });
    let struck = false;
    const final = await tellStory(types, story, async (send) => {
      try {
        return await send(server);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        // The station asks again, unchanged; the next process knows what is in the store and nothing else.
        struck = true;
        server = directServer(types.context);
        return await send(server);
      }
    });
    return { struck, commits: state.commits, final };
  }

  it('every job type, at every commit', async () => {
    expect(stories.length).toBe(8);
    for (const story of stories) {
      const whole = await run(story, { at: 0, when: 'after' });
      expect(whole.struck).toBe(false);
      expect(whole.final, story.name).toMatchObject({
        jobs: expect.arrayContaining([expect.objectContaining({ result: 'complete', ended: true })]),
      });
      expect(whole.commits, story.name).toBeGreaterThan(1);
      for (const when of ['before', 'after'] as const) {
        for (let at = 1; at <= whole.commits; at += 1) {
          const what = `${story.name}, ${when} commit ${at}`;
          const { struck, final } = await run(story, { at, when });
          expect(struck, what).toBe(true);
          expect(final, what).toEqual(whole.final);
        }
      }
    }
  });
});

class Killed extends Error {}

const die = (): never => {
  throw new Killed();
};
