/** A second version of an app's keys: made, activated, moved to at each card's next visit, gone back from, and the first one retired. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { placeOf } from '../../../app/keyserver/keys/groups.ts';
import { makeKeys } from '../../../app/keyserver/keys/make.ts';
import { retireKeys } from '../../../app/keyserver/keys/retire.ts';
import { earlierVersion } from '../../../app/keyserver/keys/versions.ts';
import { listVersions } from '../../../app/keyserver/store/key-versions.ts';
import { countOnCards, countVersions, listOnCards } from '../../../app/keyserver/store/keys-on-cards.ts';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { TearingDevice } from '../../../app/simulator/tear.ts';
import { randomDigits, tokenRig } from '../../support/issuer-rig.ts';
import { refusal, storeText, WALLET } from '../../support/issuer-steps.ts';
import { answerStep, onEveryStore, readCardRecord, startJob, type Wish } from '../../support/jobs.ts';
import {
  activate,
  addCustodian,
  CUSTODIAN,
  holds,
  importVersion,
  keyChange,
  WHY,
} from '../../support/key-versions.ts';
import { CALLER, carry, ENABLE, issue, meddled, request, runBatch, triesLeft } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = tokenRig(kind);
  let second: ReadonlyMap<string, Uint8Array>;
  beforeAll(async () => {
    await addCustodian(rig);
    // The first job takes over what set-up made; the second version is made after it.
    await issue(rig.newCard().card, rig.context, randomDigits(16), IDENTITY);
    second = await importVersion(rig, [MCK, MTK], 2);
  });
  beforeEach(async () => {
    const active = (await listVersions(rig.context.store)).find(
      (row) => row.purpose === MCK && row.state === 'active',
    );
    if (active !== undefined && active.version !== 1) await activate(rig, NAME, 1);
  });

  const issued = async (wishes = ENABLE) => {
    const made = rig.newCard();
    const account = randomDigits(16);
    expect(await issue(made.card, rig.context, account, wishes)).toMatchObject({ result: 'complete' });
    return { ...made, account };
  };
  const onSecond = (card: Parameters<typeof holds>[0], account: string) =>
    [0x39 as const, 0x36 as const].map((type) =>
      holds(card, WALLET, type, second.get(type === 0x39 ? MCK : MTK) ?? new Uint8Array(16), account),
    );
  const versionsOf = async (identification: string) => {
    const app = (await readCardRecord(rig.context, identification)).apps.find(
      (one) => one.app === 'e-wallet',
    );
    return [app?.keyVersions['mck'], app?.keyVersions['mtk'], app?.inDoubt];
  };

  describe('a version that is in the token', () => {
    it('is used by nobody before it is activated, then by every new write, and at once', async () => {
      const before = await issued();
      expect(onSecond(before.card, before.account)).toEqual([false, false]);
      await activate(rig, NAME, 2);
      const after = await issued();
      expect(onSecond(after.card, after.account)).toEqual([true, true]);
      expect(await versionsOf(after.identification)).toEqual([2, 2, false]);
    });

    it('is not activated when it is not there, or was replaced by another key under its name', async () => {
      expect((await refusal(activate(rig, NAME, 9))).code).toBe('hsm-key-missing');
      expect((await refusal(activate(rig, 'app/e-wallet/xyz', 2))).code).toBe('bad-request');
      expect((await refusal(activate(rig, 'isd/demo-scp03/enc', 2))).code).toBe('bad-request');
      await activate(rig, NAME, 2);
      expect((await refusal(activate(rig, NAME, 2))).code).toBe('nothing-to-do');
      const change = { check_value: '000000' };
      const { check_value } = await rig.context.store
        .selectFrom('key_versions')
        .select('check_value')
        .where('purpose', '=', MCK)
        .where('version', '=', 2)
        .executeTakeFirstOrThrow();
      const set = (values: typeof change) =>
        rig.context.store
          .updateTable('key_versions')
          .set(values)
          .where('purpose', '=', MCK)
          .where('version', '=', 2)
          .execute();
      await set(change);
      try {
        const { card } = rig.newCard();
        const asked = await request(card, rig.context, randomDigits(16), ENABLE);
        expect((await refusal(startJob(rig.context, CALLER, asked))).code).toBe('hsm-key-missing');
      } finally {
        await set({ check_value });
      }
    });

    it('is made inside the token with the next number, for both keys of an app, and waits', async () => {
      const admin = await openVaultAdmin(rig.token);
      try {
        const change = keyChange(rig, 'app/transit');
        const made = await makeKeys(rig.context.store, admin, rig.context.catalogue, change, new Date());
        expect(made.map(({ purpose, version }) => [purpose, version])).toEqual([
          ['app/transit/mck', 2],
          ['app/transit/mtk', 2],
        ]);
        const again = await makeKeys(
          rig.context.store,
          admin,
          rig.context.catalogue,
          keyChange(rig, 'app/transit/mtk'),
          new Date(),
        );
        expect(again).toMatchObject([{ purpose: 'app/transit/mtk', version: 3 }]);
        // What an interrupted attempt left out is made up for.
        const missing = await makeKeys(rig.context.store, admin, rig.context.catalogue, change, new Date());
        expect(missing).toMatchObject([{ purpose: 'app/transit/mck', version: 3 }]);
        const nobody = makeKeys(
          rig.context.store,
          admin,
          rig.context.catalogue,
          { ...change, operator: 'nobody' },
          new Date(),
        );
        expect((await refusal(nobody)).code).toBe('not-permitted');
      } finally {
        await admin.close();
      }
      const states = (await listVersions(rig.context.store))
        .filter(({ purpose }) => purpose === 'app/transit/mck')
        .map(({ version, state }) => `${version} ${state}`);
      expect(states).toEqual(['1 active', '2 ready', '3 ready']);
    });
  });

  describe('a card on the older version', () => {
    it.each([
      ['a job that wants nothing but what is so', NOTHING, 4],
      ['enabling what is enabled', ENABLE, 4],
      ['enabling another app', IDENTITY, 8],
      ['a deletion', [{ app: 'transit', action: 'delete' }] as Wish[], 5],
    ])('is moved by %s, as the plan says, in as many trips', async (_name, wishes, inside) => {
      const { card, account, identification } = await issued();
      await activate(rig, NAME, 2);
      const reply = await startJob(rig.context, CALLER, await request(card, rig.context, account, wishes));
      expect(reply.plan.steps).toContainEqual({ kind: 'renew', app: 'e-wallet' });
      const outcome = await carry(card, rig.context, reply);
      // Three key commands, one opening without a challenge; the wish's own beside them.
      expect(outcome).toMatchObject({ result: 'complete', trips: inside + 1, plannedTrips: inside + 1 });
      expect(outcome.apps).toContainEqual({
        app: 'e-wallet',
        before: 'enabled',
        after: 'enabled',
        keyVersions: { mck: 2, mtk: 2 },
      });
      expect(onSecond(card, account)).toEqual([true, true]);
      expect(await versionsOf(identification)).toEqual([2, 2, false]);
      // Once: the next visit finds nothing to do.
      expect(await issue(card, rig.context, account, ENABLE)).toMatchObject({ result: 'complete', trips: 1 });
      expect(triesLeft(card)).toBe(3);
    });

    it('is not moved when its app is to be deleted, and goes back with a rollback', async () => {
      const one = await issued();
      const two = await issued();
      await activate(rig, NAME, 2);
      const gone = await issue(one.card, rig.context, one.account, [{ app: 'e-wallet', action: 'delete' }]);
      expect(gone).toMatchObject({ result: 'complete', apps: [], deleted: ['e-wallet'] });
      await issue(two.card, rig.context, two.account, ENABLE);
      expect(onSecond(two.card, two.account)).toEqual([true, true]);
      await activate(rig, NAME, await earlierVersion(rig.context.store, keyChange(rig, NAME)));
      await issue(two.card, rig.context, two.account, ENABLE);
      expect(onSecond(two.card, two.account)).toEqual([false, false]);
      expect(await versionsOf(two.identification)).toEqual([1, 1, false]);
    });

    it('of which only one key has another version gets that one', async () => {
      const { card, account } = await issued();
      await activate(rig, MTK, 2);
      const outcome = await issue(card, rig.context, account, ENABLE);
      expect(outcome).toMatchObject({ result: 'complete', trips: 4, plannedTrips: 4 });
      expect(onSecond(card, account)).toEqual([false, true]);
      await activate(rig, MTK, 1);
    });

    it('that refuses to be moved keeps working, and nothing else of the job fails with it', async () => {
      const { card, account, identification } = await issued();
      await activate(rig, NAME, 2);
      // The third key write is the first of the renewal.
      const device = meddled(card, WRITE_KEY, (command, count) =>
        count === 3 ? Uint8Array.of(0x69, 0x82) : card.transmit(command),
      );
      const outcome = await issue(device, rig.context, account, IDENTITY);
      expect(outcome).toMatchObject({ result: 'complete' });
      expect(outcome.apps).toContainEqual(
        expect.objectContaining({ app: 'e-wallet', after: 'enabled', error: 'card-refused-command' }),
      );
      expect(await versionsOf(identification)).toEqual([1, 1, false]);
      expect(await issue(card, rig.context, account, ENABLE)).toMatchObject({ result: 'complete' });
      expect(await versionsOf(identification)).toEqual([2, 2, false]);
    });
  });

  describe('retiring', () => {
    const retire = (version: number, name = NAME) =>
      retireKeys(rig.context.store, version, keyChange(rig, name), new Date());

    it('is refused while the version is active, on a card, possibly on a card, or wanted by a job; then it is for good', async () => {
      const { store } = rig.context;
      // A rig of its own keys: identity, so that no other test's cards count.
      const name = 'app/identity';
      const purposes = [`${name}/mck`, `${name}/mtk`];
      for (const version of [2, 3]) await importVersion(rig, purposes, version);
      const [certain, doubtful, running] = [rig.newCard(), rig.newCard(), rig.newCard()];
      const accounts = [randomDigits(16), randomDigits(16), randomDigits(16)] as const;
      await activate(rig, name, 2);
      expect((await refusal(retire(2, name))).code).toBe('not-permitted');
      await issue(certain.card, rig.context, accounts[0], IDENTITY);
      // One card whose write of version 2 may have happened, and one job that is going to write it.
      const torn = new TearingDevice(doubtful.card, { at: 1, ins: WRITE_KEY, when: 'before' });
      const lost = await startJob(
        rig.context,
        CALLER,
        await request(torn, rig.context, accounts[1], IDENTITY),
      );
      let batch = lost.batch;
      while (batch !== undefined) {
        const report = await runBatch(torn, batch);
        if (report.cardEvent !== undefined) break;
        const next = await answerStep(rig.context, CALLER, lost.job, batch.seq, report);
        batch = 'batch' in next ? next.batch : undefined;
      }
      torn.powerOn();
      const open = await startJob(
        rig.context,
        CALLER,
        await request(running.card, rig.context, accounts[2], IDENTITY),
      );
      await activate(rig, name, 3);
      expect(await countOnCards(store, placeOf(`${name}/mtk`), 2)).toBe(2);
      expect(await listOnCards(store, placeOf(`${name}/mtk`), 2, { after: '', limit: 10 })).toEqual(
        [certain.identification, doubtful.identification].sort(),
      );
      const [first = ''] = [certain.identification, doubtful.identification].sort();
      expect(await listOnCards(store, placeOf(`${name}/mtk`), 2, { after: first, limit: 1 })).toHaveLength(1);
      expect((await refusal(retire(2, name))).code).toBe('not-permitted');
      await issue(certain.card, rig.context, accounts[0], IDENTITY);
      expect((await refusal(retire(2, name))).code).toBe('not-permitted');
      await issue(doubtful.card, rig.context, accounts[1], IDENTITY);
      expect(await countOnCards(store, placeOf(`${name}/mtk`), 2)).toBe(0);
      // Only the running job is left.
      expect((await refusal(retire(2, name))).code).toBe('not-permitted');
      await carry(running.card, rig.context, open);
      await issue(running.card, rig.context, accounts[2], IDENTITY);
      const before = await storeText(rig.context);
      await retire(2, name);
      expect(await storeText(rig.context)).toBe(before);
      expect((await refusal(activate(rig, name, 2))).code).toBe('not-permitted');
      expect((await refusal(retire(2, name))).code).toBe('nothing-to-do');
      expect(await countVersions(store)).toContainEqual({ purpose: `${name}/mck`, version: 3, cards: 3 });
    });

    it('in the very moment in which a job is decided: the job is decided anew', async () => {
      await activate(rig, NAME, 2);
      const stale = {
        ...rig.context,
        activeVersions: async () => () => ({ version: 7, factor: 'card' as const }),
      };
      await rig.context.store
        .insertInto('key_versions')
        .values(
          [MCK, MTK].map((purpose) => ({
            purpose,
            version: 7,
            state: 'retired',
            check_value: 'AAAAAA',
            made: new Date().toISOString(),
            activated: null,
          })),
        )
        .execute();
      const { card } = rig.newCard();
      const asked = await request(card, rig.context, randomDigits(16), ENABLE);
      const before = await storeText(rig.context);
      expect((await refusal(startJob(stale, CALLER, asked))).code).toBe('server-busy');
      expect(await storeText(rig.context)).toBe(before);
    });
  });

  it('every change is on record, with who and why', async () => {
    const rows = await rig.context.store.selectFrom('audit').selectAll().orderBy('at').execute();
    const kinds = new Set(rows.map((row) => row.kind));
    for (const one of ['key-adopt', 'key-make', 'key-activate', 'key-retire']) expect(kinds).toContain(one);
    for (const row of rows.filter((one) => one.kind !== 'key-adopt' && one.kind.startsWith('key-')))
      expect(row).toMatchObject({ operator: CUSTODIAN, detail: expect.stringContaining(WHY) });
  });
});

const IDENTITY: Wish[] = [{ app: 'identity', action: 'enable' }];
const NOTHING: Wish[] = [{ app: 'campus-meal', action: 'delete' }];

const NAME = 'app/e-wallet';

const [MCK, MTK] = ['app/e-wallet/mck', 'app/e-wallet/mtk'] as const;

const WRITE_KEY = 0xd4;
