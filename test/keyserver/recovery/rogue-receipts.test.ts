/** A store that was restored, and a station that invents jobs before it and behind it: what honest stations give back counts all the same. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { backupSeal } from '../../../app/keyserver/recovery/backup-seal.ts';
import { restoreBackup } from '../../../app/keyserver/recovery/restore.ts';
import { takeReceipts } from '../../../app/keyserver/recovery/take-receipts.ts';
import { forgetCard } from '../../../app/keyserver/recovery/unbind.ts';
import { writeBackup } from '../../../app/keyserver/store/backup.ts';
import { openStore } from '../../../app/keyserver/store/open.ts';
import { newRequestId } from '../../support/issuer-rig.ts';
import type { AnswersRequest, Batch, JobContext, JobReply, StepReply, Wish } from '../../support/jobs.ts';
import {
  answerStep,
  issuerRig,
  onEveryStore,
  randomDigits,
  readCardRecord,
  refusal,
  startJob,
  writeOperator,
} from '../../support/jobs.ts';
import { storePlaces } from '../../support/stores.ts';
import type { VirtualCard } from '../../support/visits.ts';
import { CALLER, carry, ENABLE, issue, request, runBatch, triesLeft } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  const places = storePlaces(kind);

  it.each(['its own account', 'another account'])(
    'a card issued since the backup is put right by its receipt although a job was invented of it first, with %s',
    async (whose) => {
      await restoring(async (restored) => {
        const { card, identification, account, receipt } = await issued();
        await invent(restored, card, whose === 'its own account' ? account : randomDigits(16));
        expect(await takeReceipts(later(restored, 20), CALLER, [receipt])).toMatchObject({ taken: 1 });
        expect(await readCardRecord(restored, identification)).toMatchObject({ account });
        expect(await visitUnread(card, account, later(restored, 30))).toMatchObject({ result: 'complete' });
        expect(triesLeft(card)).toBe(3);
      });
    },
  );

  it.each(['has no app', 'is of another type'])(
    'a card issued since the backup is put right by its receipt although a station said first that it %s',
    async (what) => {
      await restoring(async (restored) => {
        const { card, account, receipt, identification } = await issued();
        const type = what === 'has no app' ? 'demo-scp03' : 'demo-scp02';
        const told = rig.newCard({ type, identificationCode: identification }).card;
        const asked = await request(told, restored, randomDigits(16), [
          { app: 'identity', action: 'delete' },
        ]);
        const gone = asked.observed.map(({ app }) => ({ app, state: 'missing' as const }));
        await startJob(restored, ROGUE, what === 'has no app' ? { ...asked, observed: gone } : asked);
        expect(await takeReceipts(later(restored, 20), CALLER, [receipt])).toMatchObject({ taken: 1 });
        expect(await visitUnread(card, account, later(restored, 30))).toMatchObject({ result: 'complete' });
        expect(triesLeft(card)).toBe(3);
      });
    },
  );

  it('a receipt of an invented job takes no key from a card that came before it', async () => {
    await restoring(async (restored) => {
      const { card } = rig.newCard();
      const account = randomDigits(16);
      const receipt = await invent(rig.context, card, randomDigits(16));
      await issue(card, restored, account, OTHER);
      card.reset();
      await takeReceipts(later(restored, 20), ROGUE, [receipt]);
      expect(await visitUnread(card, account, later(restored, 30))).toMatchObject({ result: 'complete' });
      expect(triesLeft(card)).toBe(3);
    });
  });

  it('a receipt of an invented job does not say who enabled an app that was seen enabled', async () => {
    await restoring(async (restored) => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      const receipt = await invent(rig.context, card, account);
      await issue(card, later(rig.context, 20), account, ENABLE);
      card.reset();
      await issue(card, restored, account, OTHER);
      await takeReceipts(later(restored, 30), ROGUE, [receipt]);
      const { apps } = await readCardRecord(restored, identification);
      expect(apps.find(({ app }) => app === 'e-wallet')).toMatchObject({ state: 'enabled', enabledBy: null });
    });
  });

  it('the account of a torn card is kept for it although a newer receipt, of a job that came to nothing, was first', async () => {
    await restoring(async (restored) => {
      const { card, account, receipt } = await issued(2);
      const newer = await invent(later(rig.context, 3), card, account, 'write-master-control-key');
      expect(await takeReceipts(later(restored, 20), ROGUE, [newer])).toMatchObject({ taken: 1 });
      expect(await takeReceipts(later(restored, 20), CALLER, [receipt])).toMatchObject({ taken: 1 });
      const other = issue(rig.newCard().card, later(restored, 21), account, ENABLE);
      expect((await refusal(other)).code).toBe('account-taken');
      expect(await issue(card, later(restored, 21), account, ENABLE)).toMatchObject({ result: 'complete' });
      // Once everything is on record it is nothing new.
      expect(await takeReceipts(later(restored, 22), CALLER, [receipt])).toMatchObject({ known: 1 });
    });
  });

  it.each(['for a card that is not there', 'another one for that card'])(
    'the account of a torn card is kept for it although one was named since the restore, %s',
    async (which) => {
      await restoring(async (restored) => {
        const { card, identification, account, receipt } = await issued(2);
        const isOther = which === 'for a card that is not there';
        const named = isOther ? rig.newCard().card : card;
        const asked = await request(
          named,
          restored,
          isOther ? account : randomDigits(16),
          ENABLE,
          'e-wallet',
        );
        await startJob(restored, ROGUE, asked);
        card.reset();
        const found = await takeReceipts(later(restored, 0.75), CALLER, [receipt]);
        expect(found).toMatchObject({ taken: 1 });
        expect(await readCardRecord(restored, identification)).toMatchObject({ setAside: null });
        const other = issue(rig.newCard().card, later(restored, 1), account, ENABLE);
        expect((await refusal(other)).code).toBe('account-taken');
        expect(await issue(card, later(restored, 1), account, ENABLE)).toMatchObject({ result: 'complete' });
      });
    },
  );

  it('an account that a station only named before is not kept by its receipt: another card gets it', async () => {
    await restoring(async (restored) => {
      const { card } = rig.newCard();
      const account = randomDigits(16);
      const named = await invent(later(rig.context, 1), card, account, 'write-master-control-key');
      expect(await takeReceipts(later(restored, 20), ROGUE, [named])).toMatchObject({ taken: 1 });
      const other = rig.newCard();
      expect(await issue(other.card, later(restored, 20), account, ENABLE, 'e-wallet')).toMatchObject({
        result: 'complete',
      });
      expect(await readCardRecord(restored, other.identification)).toMatchObject({ account });
    });
  });

  it('a receipt from before brings nothing back of a card that people had forgotten since the restore', async () => {
    await restoring(async (restored) => {
      for (const id of ['chief', 'deputy'])
        await writeOperator(restored.store, { id, name: id, secret: `the ${id}’s secret` });
      const { card, identification: id, account, receipt } = await issued();
      await invent(restored, card, account);
      const why = {
        operator: 'chief',
        second: 'deputy',
        secret: 'the deputy’s secret',
        reason: 'no such card',
      };
      await forgetCard(restored.store, { ...why, card: id }, later(restored, 20).now());
      await takeReceipts(later(restored, 30), CALLER, [receipt]);
      expect(await readCardRecord(restored, id)).toMatchObject({ account: '', apps: [] });
    });
  });

  /** The server after its store was restored from a backup that was taken before the story. */
  async function restoring(story: (restored: JobContext) => Promise<void>): Promise<void> {
    const file = join(places.folder, `${newRequestId()}.backup`);
    const seal = backupSeal(rig.context.vault);
    await writeBackup(rig.context.store, file, new Date(), seal);
    const store = await openStore(await places.empty());
    try {
      const storeGeneration = await restoreBackup(store, file, new Date(), seal);
      await story({ ...rig.context, store, storeGeneration });
    } finally {
      await store.destroy();
    }
  }

  /** A card that an honest station issued before the restore, or so many batches of it, with the last receipt. */
  async function issued(batches = 1_000) {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const reply = await startJob(rig.context, CALLER, await rig.request(card, account, ENABLE));
    let { receipt = '', batch } = reply;
    for (let step = 0; batch !== undefined && step < batches; step += 1) {
      const report = await runBatch(card, batch);
      const next: StepReply = await answerStep(rig.context, CALLER, reply.job, batch.seq, report);
      receipt = next.receipt ?? receipt;
      batch = 'batch' in next ? next.batch : undefined;
    }
    card.reset();
    return { card, identification, account, receipt };
  }
});

const ROGUE = { station: 'rogue-station', operator: 'rogue-clerk' };
const OTHER: Wish[] = [{ app: 'identity', action: 'enable' }];

function later(context: JobContext, minutes: number): JobContext {
  return { ...context, now: () => new Date(Date.now() + minutes * 60_000) };
}

/** What a station asks that takes the app for not enabled, so that its keys are used. */
async function asking(card: VirtualCard, context: JobContext, account: string) {
  const asked = await request(card, context, account, ENABLE);
  const observed = asked.observed.map((one) =>
    one.app === 'e-wallet' ? { ...one, state: 'installed' as const } : one,
  );
  return { ...asked, observed };
}

async function visitUnread(card: VirtualCard, account: string, context: JobContext) {
  return carry(card, context, await startJob(context, CALLER, await asking(card, context, account)));
}

/** A job of a station that has not got the card, to its end or to a batch with `last`; the last receipt. */
async function invent(context: JobContext, card: VirtualCard, account: string, last?: string) {
  const asked = await asking(card, context, account);
  card.reset();
  const reply: JobReply = await startJob(context, ROGUE, asked);
  let { receipt = '', batch } = reply;
  for (let step = 1; batch !== undefined; step += 1) {
    if (batch.commands.some(({ label }) => label.step === last)) break;
    const report = invented(batch, `0000000${step}`.slice(-8));
    const next = await answerStep(context, ROGUE, reply.job, batch.seq, report);
    receipt = next.receipt ?? receipt;
    batch = 'batch' in next ? next.batch : undefined;
  }
  return receipt;
}

function invented({ cardEpoch, commands }: Batch, challenge: string): AnswersRequest {
  const answers = commands.map(({ label, expect: wanted }) =>
    label.step === 'challenge' ? `${challenge}9000` : `${wanted?.value ?? ''}9000`,
  );
  return { apiLevel: 1, cardEpoch, answers };
}
