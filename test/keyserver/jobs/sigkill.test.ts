/** SIGKILL at every commit of every job type, before and after it: another process goes on, and the record is the same as without it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CommitStory, openCommitStories, tellStory } from '../../support/commit-stories.ts';
import {
  type DyingServer,
  type DyingServers,
  openDyingServers,
  ServerKilled,
} from '../../support/dying-servers.ts';
import type { Death } from '../../support/dying-store.ts';
import type { OtherTypesRig } from '../../support/other-type.ts';

/** One of each job type; every commit of all others is in commits.test.ts. */
const NAMES = [
  'enabling',
  'loading and enabling',
  'deleting',
  'the security domain’s own keys (added)',
  'moving an app to the next version of its keys',
];

let types: OtherTypesRig;
let stories: readonly CommitStory[];
let servers: DyingServers;
beforeAll(openAll);
afterAll(closeAll);
/** One that outlived a job goes on with the next, and dies when that is to be. */
let living: DyingServer | undefined;

it.each(NAMES)('%s: the same record after kills before and after each commit', async (name) => {
  const story = stories.find((one) => one.name === name);
  if (story === undefined) throw new Error('no such story');
  const whole = await run(story, []);
  expect(whole.killedBy).toEqual([]);
  for (let at = 1; at <= MOST_COMMITS; at += 1) {
    // One dies before the commit, the next, asked again, after the same one.
    const { killedBy, final } = await run(story, [
      { at, when: 'before' },
      { at: 1, when: 'after' },
    ]);
    expect(final, `commit ${at}`).toEqual(whole.final);
    if (killedBy.length === 0) {
      expect(at).toBeGreaterThan(2);
      return;
    }
    expect(killedBy, `commit ${at}`).toEqual(['SIGKILL', 'SIGKILL']);
  }
});

async function openAll(): Promise<void> {
  ({ types, stories } = await openCommitStories('sqlite'));
  const { store } = types.rig;
  if (store.kind !== 'sqlite') throw new Error('a file is needed');
  servers = await openDyingServers({
    vault: types.context.vault,
    file: store.file,
    resources: types.resources,
  });
}

async function closeAll(): Promise<void> {
  await servers.close();
  await types.close();
}

const NEVER: Death = { at: 0, when: 'after' };

/** More commits than any job here has; a death behind the last one does not happen, and ends the search. */
const MOST_COMMITS = 40;

/** Servers that die as they are told, one after the other, and then one that lives. */
async function run(story: CommitStory, deaths: readonly Death[]) {
  const left = [...deaths];
  const next = () => servers.start(left.shift() ?? NEVER, living);
  let server = next();
  living = undefined;
  const killedBy: (string | null)[] = [];
  const final = await tellStory(types, story, async (send) => {
    for (;;) {
      try {
        return await send(server);
      } catch (error) {
        if (!(error instanceof ServerKilled)) throw error;
        killedBy.push(error.signal);
        server = next();
      }
    }
  });
  living = server;
  return { killedBy, final };
}
