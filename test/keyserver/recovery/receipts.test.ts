import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { OperatorCaller } from '../../../app/keyserver/jobs/context.ts';
import { backupSeal } from '../../../app/keyserver/recovery/backup-seal.ts';
import { openReceipt } from '../../../app/keyserver/recovery/receipt.ts';
import { restoreBackup } from '../../../app/keyserver/recovery/restore.ts';
import { takeReceipts } from '../../../app/keyserver/recovery/take-receipts.ts';
import { writeBackup } from '../../../app/keyserver/store/backup.ts';
import { openStore } from '../../../app/keyserver/store/open.ts';
import { refusal, storeText, triesLeft } from '../../support/issuer-steps.ts';
import type { JobContext, JobReply, StepReply, Wish } from '../../support/jobs.ts';
import { answerStep, issuerRig, randomDigits, readCardRecord, startJob } from '../../support/jobs.ts';
import { olderOutcome } from '../../support/older-forms.ts';
import { onEveryStore, storePlaces } from '../../support/stores.ts';
import type { VirtualCard } from '../../support/visits.ts';
import { CALLER, carry, ENABLE, issue, OTHER_CALLER, request, runBatch } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  const places = storePlaces(kind);
  let made = 0;

  /** The server after its store was restored from the backup that was taken before the story. */
  let restored: JobContext;
  beforeEach(async () => {
    made += 1;
    const file = join(places.folder, `${made}.backup`);
    const seal = backupSeal(rig.context.vault);
    await writeBackup(rig.context.store, file, new Date(), seal);
    const store = await openStore(await places.empty());
    const storeGeneration = await restoreBackup(store, file, new Date(), seal);
    restored = { ...rig.context, store, storeGeneration };
  });
  afterEach(() => restored.store.destroy());

  /** As a station: carries a job on, and keeps the newest receipt. */
  async function work(card: VirtualCard, reply: JobReply, steps = 1_000, caller: OperatorCaller = CALLER) {
    let receipt = reply.receipt;
    let batch = reply.batch;
    for (let step = 0; batch !== undefined && step < steps; step += 1) {
      const report = await runBatch(card, batch);
      const next: StepReply = await answerStep(rig.context, caller, reply.job, batch.seq, report);
      receipt = next.receipt ?? receipt;
      batch = 'batch' in next ? next.batch : undefined;
    }
    return { receipt: receipt ?? '', batch };
  }
  async function begin(wishes: Wish[] = ENABLE, caller: OperatorCaller = CALLER) {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const opening = wishes === ENABLE ? 'e-wallet' : undefined;
    const asked = await rig.request(card, account, wishes, opening);
    return { card, identification, account, reply: await startJob(rig.context, caller, asked) };
  }
  /** A visit at a station that takes the app for not enabled, so that its keys are used. */
  async function visitUnread(card: VirtualCard, account: string, caller: OperatorCaller = CALLER) {
    const asked = await request(card, restored, account, ENABLE);
    const observed = asked.observed.map((one) =>
      one.app === 'e-wallet' ? { ...one, state: 'installed' as const } : one,
    );
    const reply = await startJob(restored, caller, { ...asked, observed });
    return carry(card, restored, reply, caller);
  }
  const give = (...receipts: string[]) => takeReceipts(restored, CALLER, receipts);
  const record = (context: JobContext, card: string) => readCardRecord(context, card);
  const wrong = async (card: string) =>
    (await record(restored, card)).jobs
      .flatMap(({ steps }) => steps)
      .filter(({ sw }) => sw.startsWith('63C'));

  it('a receipt of a beginning is read whatever else is known of who began: it names station and operator, no more', async () => {
    const { card } = rig.newCard();
    const caller = { ...CALLER, role: 'supervisor' };
    const wishes: Wish[] = [{ app: 'transit', action: 'delete' }];
    const asked = await rig.request(card, randomDigits(16), wishes);
    const { receipt = '' } = await startJob(rig.context, caller, asked);
    expect(receipt).not.toBe('');
    expect(await takeReceipts(restored, CALLER, [receipt])).toMatchObject({ taken: 1, refused: 0 });
  });

  it('a card issued since the backup is on record as before, and its next visit costs no wrong try', async () => {
    const { card, identification, account, reply } = await begin(STORY);
    const { receipt } = await work(card, reply);
    expect((await refusal(record(restored, identification))).code).toBe('not-found');
    expect(await give(receipt)).toEqual({ apiLevel: 1, taken: 1, known: 0, refused: 0 });
    expect(await record(restored, identification)).toEqual(await record(rig.context, identification));
    card.reset();
    expect(await issue(card, restored, account, [...MORE, ...ENABLE])).toMatchObject({ result: 'complete' });
    card.reset();
    expect(await visitUnread(card, account)).toMatchObject({ result: 'complete' });
    expect(await wrong(identification)).toEqual([]);
    expect(triesLeft(card)).toBe(3);
    const audited = await restored.store
      .selectFrom('audit')
      .selectAll()
      .where('kind', '=', 'receipt')
      .execute();
    expect(audited).toMatchObject([{ card: identification, station: CALLER.station }]);
  });

  it('one that an older version of the server sealed is taken all the same', async () => {
    const { card, identification, reply } = await begin(STORY);
    const { receipt } = await work(card, reply);
    const said = await openReceipt(rig.context.vault, receipt);
    if (said?.job.outcome == null) throw new Error('no receipt of an ended job');
    const older = { ...said, job: { ...said.job, outcome: olderOutcome(said.job.outcome) } };
    const sealed = await rig.context.vault.seal({
      clear: new Uint8Array(deflateRawSync(JSON.stringify(older))),
      context: 'receipt',
    });
    expect(await give(Buffer.from(sealed).toString('base64url'))).toMatchObject({ taken: 1, refused: 0 });
    expect(await record(restored, identification)).toEqual(await record(rig.context, identification));
  });

  it.each([0, 1, 2, 3])(
    'a job cut off behind step %i is over, and the card goes on from what could be true',
    async (steps) => {
      const { card, identification, account, reply } = await begin();
      const { receipt, batch } = await work(card, reply, steps);
      // The first step only spends a try: there is nothing yet to remember of it.
      if (steps === 0) expect(receipt).toBe('');
      else await give(receipt);
      // The batch that was out reached the card, and nobody was told.
      if (batch !== undefined) await runBatch(card, batch);
      card.reset();
      expect(await issue(card, restored, account, ENABLE)).toMatchObject({ result: 'complete' });
      // Cut off behind the write of the master control key, before the card had shown itself: the key that was known is tried first.
      const older = { step: 'authenticate', app: 'e-wallet', sw: '63C2' };
      expect(await wrong(identification)).toEqual(steps === 2 ? [older] : []);
      const { jobs } = await record(restored, identification);
      expect(jobs.map(({ result }) => result)).toEqual(
        steps === 0 ? ['complete'] : ['superseded', 'complete'],
      );
    },
  );

  it('given again, or older ones after newer ones, they change nothing', async () => {
    const { card, identification, account, reply } = await begin();
    const early = await work(card, reply, 2);
    const { receipt } = await work(card, { ...reply, batch: early.batch });
    card.reset();
    const again = await rig.start(await rig.request(card, account, MORE));
    const later = await work(card, again);
    expect(await give(later.receipt)).toMatchObject({ taken: 1 });
    // The first job is news, the state of the card is not.
    expect(await give(receipt, early.receipt)).toMatchObject({ taken: 1, known: 1 });
    expect(await record(restored, identification)).toEqual(await record(rig.context, identification));
    const before = await storeText(restored);
    expect(await give(early.receipt, later.receipt, receipt)).toMatchObject({ known: 3 });
    expect(await storeText(restored)).toBe(before);
  });

  it('what a card went through since the restore is never overwritten, and the older job is on record all the same', async () => {
    const { card, identification, account, reply } = await begin([{ app: 'transit', action: 'delete' }]);
    const { receipt } = await work(card, reply);
    card.reset();
    expect((await issue(card, restored, account, ENABLE, 'e-wallet', OTHER_CALLER)).result).toBe('complete');
    const { jobs: _, ...before } = await record(restored, identification);
    expect(await give(receipt)).toMatchObject({ taken: 1 });
    const { jobs, ...after } = await record(restored, identification);
    expect(after).toEqual(before);
    expect(jobs.map(({ job, result }) => ({ job, result }))).toMatchObject([
      { job: reply.job, result: 'complete' },
      { result: 'complete' },
    ]);
  });

  it('a card that came before its receipt and refused the old key is put right by it', async () => {
    const { card, identification, account, reply } = await begin();
    const { receipt } = await work(card, reply);
    card.reset();
    expect(await visitUnread(card, account, OTHER_CALLER)).toMatchObject({
      apps: [{ error: 'card-refused-key' }],
    });
    expect(triesLeft(card)).toBe(2);
    expect(await give(receipt)).toMatchObject({ taken: 1 });
    card.reset();
    expect(await visitUnread(card, account)).toMatchObject({ result: 'complete' });
    // No second wrong try.
    expect(triesLeft(card)).toBe(2);
    expect((await record(restored, identification)).apps.find(({ app }) => app === 'e-wallet')).toMatchObject(
      {
        state: 'enabled',
        keyVersions: { mck: 1 },
        inDoubt: false,
      },
    );
  });

  it('a card that was seen for something else before its receipt came has its app on record as issued afterwards', async () => {
    const { card, identification, account, reply } = await begin();
    const { receipt } = await work(card, reply);
    card.reset();
    expect(await issue(card, restored, account, MORE, 'identity', OTHER_CALLER)).toMatchObject({
      result: 'complete',
    });
    const wallet = async () =>
      (await record(restored, identification)).apps.find(({ app }) => app === 'e-wallet');
    // Seen to be enabled, but under what keys nobody knows.
    expect(await wallet()).toMatchObject({ state: 'enabled', keyVersions: { mck: null } });
    expect(await give(receipt)).toMatchObject({ taken: 1 });
    expect(await wallet()).toMatchObject({ keyVersions: { mck: 1, mtk: 1 }, enabledBy: { job: reply.job } });
    card.reset();
    expect(await visitUnread(card, account)).toMatchObject({ result: 'complete' });
    expect(await wrong(identification)).toEqual([]);
  });

  it('a card that is in hand has its receipt taken afterwards', async () => {
    const { card, identification, account, reply } = await begin();
    const { receipt } = await work(card, reply);
    card.reset();
    const asked = await request(card, restored, account, MORE, 'identity');
    const other = await startJob(restored, OTHER_CALLER, asked);
    const before = await storeText(restored);
    expect((await refusal(give(receipt))).code).toBe('server-busy');
    expect((await storeText(restored)).replaceAll(/receipts-per-station-hour.*/g, '')).toBe(
      before.replaceAll(/receipts-per-station-hour.*/g, ''),
    );
    await carry(card, restored, other, OTHER_CALLER);
    expect(await give(receipt)).toMatchObject({ taken: 1 });
    expect((await record(restored, identification)).apps.find(({ app }) => app === 'e-wallet')).toMatchObject(
      { keyVersions: { mck: 1 } },
    );
  });

  it('two cards that had the same account, one before and one after the restore: the first is set aside', async () => {
    const { card, identification, account, reply } = await begin();
    const { receipt } = await work(card, reply);
    const other = rig.newCard();
    expect((await issue(other.card, restored, account, ENABLE, 'e-wallet')).result).toBe('complete');
    await give(receipt);
    expect((await record(restored, identification)).setAside).toEqual({ code: 'account-given-twice' });
    expect(await record(restored, other.identification)).toMatchObject({ account, setAside: null });
  });

  it("another station's, changed ones and things that are none are refused, and change nothing", async () => {
    const { card, reply } = await begin();
    const { receipt } = await work(card, reply);
    const other = await begin(ENABLE, OTHER_CALLER);
    const theirs = await work(other.card, other.reply, 1_000, OTHER_CALLER);
    const sealedReply = await restored.store.selectFrom('jobs').select('id').limit(1).execute();
    const elsewhere = Buffer.from(
      await rig.context.vault.seal({
        clear: new TextEncoder().encode('{}'),
        context: `job:${sealedReply[0]?.id}:1`,
      }),
    ).toString('base64url');
    const flipped = `${receipt.slice(0, 40)}${receipt[40] === 'A' ? 'B' : 'A'}${receipt.slice(41)}`;
    const before = await storeText(restored);
    expect(await give(theirs.receipt, flipped, elsewhere, 'AAAA', receipt.slice(0, 60))).toMatchObject({
      taken: 0,
      known: 0,
      refused: 5,
    });
    expect(await storeText(restored)).toBe(before);
  });

  it('no more of them an hour than the limit', async () => {
    const limited = { ...restored, limits: { ...restored.limits, receiptsPerStationHour: 3 } };
    await takeReceipts(limited, CALLER, ['AAAA', 'AAAA', 'AAAA']);
    expect((await refusal(takeReceipts(limited, CALLER, ['AAAA']))).code).toBe('too-many-attempts');
  });

  it('says no key, no account and no number to who keeps it', async () => {
    const { card, identification, account, reply } = await begin(STORY);
    const { receipt } = await work(card, reply);
    const bytes = Buffer.from(receipt, 'base64url');
    for (const secret of [identification, account, 'e-wallet', CALLER.operator])
      for (const text of [Buffer.from(secret), Buffer.from(secret, 'hex')])
        if (text.length > 0) expect(bytes.includes(text), secret).toBe(false);
    // 90 commands of a load do not make it long.
    expect(receipt.length).toBeLessThan(4_000);
  });
});

const MORE: Wish[] = [{ app: 'identity', action: 'enable' }];

const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];
