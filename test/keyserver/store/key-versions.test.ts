/** Stores and backups from before versions were kept beside the candidates: they are taken out of them, so that no card is missed. */

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupSeal } from '../../../app/keyserver/recovery/backup-seal.ts';
import { restoreBackup } from '../../../app/keyserver/recovery/restore.ts';
import { writeBackup } from '../../../app/keyserver/store/backup.ts';
import { countVersions } from '../../../app/keyserver/store/keys-on-cards.ts';
import { fillVersions } from '../../../app/keyserver/store/migrations-keys.ts';
import { openSqliteStore } from '../../../app/keyserver/store/open.ts';
import type { Store } from '../../../app/keyserver/store/store.ts';
import { onEveryStore, randomDigits } from '../../support/jobs.ts';
import { MOVING_TYPES } from '../../support/moving-types.ts';
import { otherTypes } from '../../support/other-type.ts';
import { ENABLE, issue, loseStation, request, TearingDevice } from '../../support/visits.ts';

onEveryStore((kind) => {
  const types = otherTypes(MOVING_TYPES, kind);
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kaika-versions-'));
    const { context, rig } = types;
    // One on the issuer's keys, one in doubt, one with its domain's own keys.
    await issue(rig.newCard().card, context, randomDigits(16), ENABLE);
    const torn = rig.newCard();
    const device = new TearingDevice(torn.card, { at: 1, ins: WRITE_KEY, when: 'after' });
    await loseStation(device, context, await request(torn.card, context, randomDigits(16), ENABLE));
    await issue(types.type('added').newCard().card, context, randomDigits(16), ENABLE);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
  });

  const columns = (store: Store) =>
    store
      .selectFrom('card_keys')
      .select(['card', 'app', 'slot', 'version', 'other_version'])
      .orderBy('card')
      .orderBy('app')
      .orderBy('slot')
      .execute();

  it('an older store gets the columns that a newer program would have written', async () => {
    const { store } = types.context;
    const written = await columns(store);
    expect(written).toContainEqual(expect.objectContaining({ slot: 'mtk', version: 1, other_version: null }));
    await store.updateTable('card_keys').set({ version: null, other_version: null }).execute();
    await fillVersions(store);
    expect(await columns(store)).toEqual(written);
  });

  it('so does an older backup that is restored, and which version is active is in it', async () => {
    const { store } = types.context;
    const file = join(folder, 'new.backup');
    await writeBackup(store, file, new Date(), backupSeal(types.context.vault));
    // As the older program wrote it: without the columns, without the table, without the migration.
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -1);
    const old = lines.flatMap((line, at) => {
      const value: { migrations?: string[]; table?: string; row?: Record<string, unknown> } =
        JSON.parse(line);
      if (at === 0)
        return [
          JSON.stringify({
            ...value,
            migrations: value.migrations?.filter((one) => !one.includes('key-versions')),
          }),
        ];
      if (value.table === 'key_versions') return [];
      const { version: _version, other_version: _other, ...row } = value.row ?? {};
      return [JSON.stringify({ ...value, row })];
    });
    const hash = createHash('sha256');
    for (const line of old) hash.update(`${line}\n`);
    const end = JSON.stringify({ rows: old.length - 1, sha256: hash.digest('hex') });
    const oldFile = join(folder, 'old.backup');
    writeFileSync(oldFile, [...old, end, ''].join('\n'));
    for (const [from, active] of [
      [file, true],
      [oldFile, false],
    ] as const) {
      const restored = await openSqliteStore(join(folder, String(active), 'kaika.sqlite'));
      await restoreBackup(restored, from, new Date(), 'unauthenticated');
      expect(await columns(restored)).toEqual(await columns(store));
      expect(await countVersions(restored)).toEqual(await countVersions(store));
      const rows = await restored.selectFrom('key_versions').selectAll().execute();
      expect(rows.length > 0).toBe(active);
      await restored.destroy();
    }
  });

  it('two versions of a key are never active at once, whatever writes them', async () => {
    const row = {
      purpose: 'app/e-wallet/mck',
      version: 2,
      state: 'active',
      check_value: '000000',
      made: 'x',
      activated: 'x',
    };
    await expect(types.context.store.insertInto('key_versions').values(row).execute()).rejects.toThrow(
      /unique/i,
    );
  });
});

const WRITE_KEY = 0xd4;
