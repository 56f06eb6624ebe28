/** Which account a card is bound to: one at a time, one card at a time, and what was stays on record. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { backupSeal } from '../../../app/keyserver/recovery/backup-seal.ts';
import { restoreBackup } from '../../../app/keyserver/recovery/restore.ts';
import { writeBackup } from '../../../app/keyserver/store/backup.ts';
import { insertBinding } from '../../../app/keyserver/store/bindings.ts';
import { findCard } from '../../../app/keyserver/store/card-rows.ts';
import { MIGRATIONS } from '../../../app/keyserver/store/migrations.ts';
import { openStore } from '../../../app/keyserver/store/open.ts';
import type { Store } from '../../../app/keyserver/store/store.ts';
import { issuerRig, onEveryStore, randomDigits, refusal } from '../../support/jobs.ts';
import { storePlaces } from '../../support/stores.ts';
import { ENABLE } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  const places = storePlaces(kind);

  it('the database refuses a second account of a card, and a second card of a factor', async () => {
    const store = await openStore(await places.empty());
    await insertBinding(store, binding('1', '1'));
    await expect(insertBinding(store, { ...binding('1', '2'), since: LATER })).rejects.toThrow(/unique/i);
    await expect(insertBinding(store, binding('2', '1'))).rejects.toThrow(/unique/i);
    await endBinding(store, '1');
    await insertBinding(store, binding('2', '1'));
    await insertBinding(store, { ...binding('1', '2'), since: LATER });
    expect(await store.selectFrom('bindings').select(['card', 'factor', 'until']).execute()).toHaveLength(3);
    await store.destroy();
  });

  it('a card is bound with the first command that changes it, by that job, and once', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const asked = await rig.request(card, account, ENABLE);
    const reply = await rig.start(asked);
    // Nothing was changed yet by a batch that only looks.
    const effect = reply.batch?.commands.some((command) => command.effect === true) === true;
    expect(await bindingsOf(rig.context.store, identification)).toHaveLength(effect ? 1 : 0);
    expect((await rig.carry(card, reply)).result).toBe('complete');
    await rig.issue(card, account, [{ app: 'transit', action: 'delete' }]);
    expect(await bindingsOf(rig.context.store, identification)).toMatchObject([
      { account, factor: account, until: null, job: reply.job },
    ]);
  });

  it('an account whose binding ended may be given to another card; both are on record, in a backup too', async () => {
    const { store } = rig.context;
    const [lost, other] = [rig.newCard(), rig.newCard()];
    const account = randomDigits(16);
    await rig.issue(lost.card, account, ENABLE);
    expect((await refusal(rig.issue(other.card, account, ENABLE))).code).toBe('account-taken');
    await endBinding(store, lost.identification);
    expect((await rig.issue(other.card, account, ENABLE)).result).toBe('complete');
    lost.card.reset();
    expect((await refusal(rig.issue(lost.card, account, ENABLE))).code).toBe('account-taken');
    expect((await rig.record(lost.identification)).account).toBe('');
    expect((await rig.record(other.identification)).account).toBe(account);
    const file = join(places.folder, 'two-cards.backup');
    const seal = backupSeal(rig.context.vault);
    await writeBackup(store, file, new Date(), seal);
    const restored = await openStore(await places.empty());
    await restoreBackup(restored, file, new Date(), seal);
    for (const { identification } of [lost, other])
      expect(await bindingsOf(restored, identification)).toEqual(await bindingsOf(store, identification));
    await restored.destroy();
  });

  it('a backup of the version before is restored with its accounts', async () => {
    const file = join(places.folder, 'older.backup');
    writeFileSync(
      file,
      backupOf('0007', [
        {
          id: '1',
          card_type: 'demo-scp03',
          account: '6212345678901234567',
          account_factor: '2345678901234567',
          generation: 2,
          set_aside: null,
          first_seen: NOW,
          store_generation: '1',
        },
        {
          id: '2',
          card_type: 'demo-scp03',
          account: null,
          account_factor: null,
          generation: 1,
          set_aside: null,
          first_seen: NOW,
          store_generation: '1',
        },
      ]),
    );
    const store = await openStore(await places.empty());
    await restoreBackup(store, file, new Date(), 'unauthenticated');
    expect(await findCard(store, '1')).toMatchObject({
      account: '6212345678901234567',
      factor: '2345678901234567',
      generation: 2,
    });
    expect(await findCard(store, '2')).toMatchObject({ account: null, factor: null, generation: 1 });
    expect(await bindingsOf(store, '1')).toMatchObject([{ since: NOW, until: null, job: null }]);
    await store.destroy();
  });
});

const NOW = '2026-01-02T03:04:05.678Z';
const LATER = '2026-01-03T03:04:05.678Z';

const binding = (card: string, account: string) => ({
  card,
  account,
  factor: account.padStart(16, '0'),
  since: NOW,
  job: null,
  reserved_until: null,
});

/** No command ends a binding yet; this is what one will do. */
async function endBinding(store: Store, card: string): Promise<void> {
  await store
    .updateTable('bindings')
    .set({ until: new Date().toISOString() })
    .where('card', '=', card)
    .where('until', 'is', null)
    .execute();
}

const bindingsOf = (store: Store, card: string) =>
  store.selectFrom('bindings').selectAll().where('card', '=', card).orderBy('since').execute();

/** A backup with these rows of `cards`, as a version wrote it whose last migration begins with `last`. */
function backupOf(last: string, cards: readonly object[]): string {
  const migrations = Object.keys(MIGRATIONS).filter((name) => name.slice(0, 4) <= last);
  const lines = [
    { kaika: 'backup', format: 1, migrations, taken: NOW },
    ...cards.map((row) => ({ table: 'cards', row })),
  ].map((line) => `${JSON.stringify(line)}\n`);
  const sha256 = createHash('sha256').update(lines.join('')).digest('hex');
  return `${lines.join('')}${JSON.stringify({ rows: cards.length, sha256 })}\n`;
}
