/**
 * A server process without its network: the job service on a store of its own opening, asked over the channel to its parent. It ends itself
 * with SIGKILL at the commit it is told. The vault is the parent's, because starting one takes longer than a job; so is what else can be told
 * and not loaded, because a test starts this process some 150 times.
 */
import { randomBytes } from 'node:crypto';
import { answerStep } from '../../app/keyserver/jobs/answer-step.ts';
import type { JobContext, OperatorCaller } from '../../app/keyserver/jobs/context.ts';
import { startJob } from '../../app/keyserver/jobs/start-job.ts';
import { openActiveVersions } from '../../app/keyserver/keys/active-versions.ts';
import { openCatalogue, openPackages } from '../../app/keyserver/resources.ts';
import { openSqliteStore } from '../../app/keyserver/store/open.ts';
import type { FromServer, ToServer } from './dying-server-messages.ts';
import { dyingStore } from './dying-store.ts';
import { parentsVault } from './parents-vault.ts';

const say = (message: FromServer) => process.send?.(message);
const { vault, answered } = parentsVault();

let context: Promise<JobContext> | undefined;
let caller: OperatorCaller | undefined;

async function open(told: Extract<ToServer, { kind: 'open' }>): Promise<JobContext> {
  const store = await openSqliteStore(told.file);
  const { dying } = dyingStore(store, told.death, () => {
    process.kill(process.pid, 'SIGKILL');
    throw new Error('still alive');
  });
  const catalogue = openCatalogue(told.resources);
  return {
    store: dying,
    vault,
    catalogue,
    package: openPackages(told.resources, catalogue),
    // Reads and adopts on the real store: those commits are not the job's.
    activeVersions: openActiveVersions({ store, vault, now: () => Date.now() }),
    now: () => new Date(),
    storeGeneration: 1,
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
    leaseMilliseconds: 60_000,
    limits: told.limits,
  };
}

process.on('message', (message: ToServer) => {
  switch (message.kind) {
    case 'open':
      caller = message.caller;
      // It outlived its last job.
      void context?.then(({ store }) => store.destroy());
      context = open(message);
      break;
    case 'start':
      void answer(async (own, by) => startJob(own, by, message.asked));
      break;
    case 'answer':
      void answer(async (own, by) => answerStep(own, by, message.job, message.seq, message.report));
      break;
    case 'vault-answer':
      answered(message);
      break;
  }
});
process.once('disconnect', () => process.exit(0));
say({ kind: 'ready' });

async function answer(
  work: (context: JobContext, caller: OperatorCaller) => Promise<unknown>,
): Promise<void> {
  try {
    if (context === undefined || caller === undefined) throw new Error('not opened');
    say({ kind: 'reply', value: await work(await context, caller) });
  } catch (error) {
    say({ kind: 'failed', error: error instanceof Error ? error.message : String(error) });
  }
}
