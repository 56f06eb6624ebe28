/** Backups, restoring and releasing a card. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { grantSchema } from '../../../app/dialects/key-slots.ts';
import { backUp } from '../../../app/keyserver/cli/keeping.ts';
import { readCardRecord } from '../../../app/keyserver/records/card-record.ts';
import { backupSeal } from '../../../app/keyserver/recovery/backup-seal.ts';
import { releaseSetAside } from '../../../app/keyserver/recovery/release.ts';
import { restoreBackup } from '../../../app/keyserver/recovery/restore.ts';
import { writeBackup } from '../../../app/keyserver/store/backup.ts';
import { GRANTED } from '../../../app/keyserver/store/card-slots.ts';
import { readStoreGeneration } from '../../../app/keyserver/store/generation.ts';
import { openStore } from '../../../app/keyserver/store/open.ts';
import type { CardDevice } from '../../../app/simulator/device.ts';
import { ENABLE, enable, issue } from '../../support/forwarder.ts';
import { randomDigits, tokenRig } from '../../support/issuer-rig.ts';
import { refusal, triesLeft } from '../../support/issuer-steps.ts';
import { meddled, spoiled } from '../../support/meddled.ts';
import { writeOperator } from '../../support/operators.ts';
import { onEveryStore, storePlaces } from '../../support/stores.ts';

onEveryStore((kind) => {
  const rig = tokenRig(kind);
  const places = storePlaces(kind);
  const seal = () => backupSeal(rig.context.vault);
  beforeAll(async () => {
    await writeOperator(rig.context.store, { id: 'chief', name: 'Chief', secret: 'a long secret' });
    await writeOperator(rig.context.store, { id: 'deputy', name: 'Deputy', secret: 'a longer secret' });
  });

  it('a backup, restored, has every card and job; what was running is over; the generation rises each time', async () => {
    const { store } = rig.context;
    const done = rig.newCard();
    const running = rig.newCard();
    await rig.issue(done.card, randomDigits(16), ENABLE);
    const account = randomDigits(16);
    const begun = await rig.start(await rig.request(running.card, account, ENABLE, 'e-wallet'));
    const file = join(places.folder, 'one.backup');
    expect(await writeBackup(store, file, new Date(), seal())).toBeGreaterThan(20);
    expect(statSync(file).mode & 0o077).toBe(0);
    const generations = [await readStoreGeneration(store)];
    for (const seconds of [0, 60]) {
      const config = await places.empty();
      const restored = await openStore(config);
      generations.push(await restoreBackup(restored, file, new Date(Date.now() + seconds * 1000), seal()));
      const record = await readCardRecord({ ...rig.context, store: restored }, done.identification);
      expect(record).toEqual(await readCardRecord(rig.context, done.identification));
      expect(
        (await readCardRecord({ ...rig.context, store: restored }, running.identification)).jobs,
      ).toMatchObject([{ job: begun.job, result: 'superseded' }]);
      const [restore] = await restored
        .selectFrom('audit')
        .select('detail')
        .where('kind', '=', 'restore')
        .execute();
      expect(JSON.parse(restore?.detail ?? '')).toMatchObject({ by: userInfo().username });
      expect(await restored.selectFrom('leases').selectAll().execute()).toEqual([]);
      const sealed = await restored
        .selectFrom('job_steps')
        .select('sealed')
        .where('sealed', 'is not', null)
        .execute();
      expect(sealed).toEqual([]);
      // It serves: the card whose job was cut off is finished by a new one.
      running.card.reset();
      const context = { ...rig.context, store: restored };
      if (seconds === 60)
        expect((await issue(running.card, context, account, ENABLE)).result).toBe('complete');
      await expect(restoreBackup(restored, file, new Date(), seal())).rejects.toThrow('not empty');
      await restored.destroy();
    }
    expect([...generations].sort((a, b) => a - b)).toEqual(generations);
    expect(new Set(generations).size).toBe(3);
  });

  it('a backup that was cut short, changed, or is something else, changes nothing', async () => {
    const file = join(places.folder, 'two.backup');
    await writeBackup(rig.context.store, file, new Date(), seal());
    const text = readFileSync(file, 'utf8');
    const lines = text.trimEnd().split('\n');
    const store = await openStore(await places.empty());
    for (const bad of [
      lines.slice(0, -1).join('\n'),
      [...lines.slice(0, 3), ...lines.slice(4)].join('\n'),
      text.replace('Chief', 'Thief'),
      text.replace('"0001-first"', '"9999-later"'),
      'something else\n',
      '',
    ]) {
      writeFileSync(file, bad);
      for (const trust of [seal(), 'unauthenticated'] as const)
        await expect(restoreBackup(store, file, new Date(), trust)).rejects.toMatchObject({
          code: 'server-store-failed',
        });
    }
    expect(await store.selectFrom('operators').selectAll().execute()).toEqual([]);
    await store.destroy();
  });

  it('a backup that somebody else wrote is refused, however right its hash; on the word of an administrator it is taken, and that is on record', async () => {
    const file = join(places.folder, 'three.backup');
    await writeBackup(rig.context.store, file, new Date(), seal());
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const [head = '', ...rest] = lines.slice(0, -1);
    const thief = { id: 'thief', name: 'Thief', role: 'operator', secret_hash: 'scrypt$1', disabled: 0 };
    const forged = [head, JSON.stringify({ table: 'operators', row: thief }), ...rest];
    const older = [head.replace('"format":2', '"format":1'), ...rest];
    const store = await openStore(await places.empty());
    for (const [bad, end] of [
      [forged, {}],
      // With the seal of the true one, with one of the same token for something else, and as the version before wrote it.
      [forged, { seal: JSON.parse(lines.at(-1) ?? '').seal }],
      [
        forged,
        { seal: toHexOf(await rig.context.vault.seal({ clear: hashOf(forged), context: 'receipt' })) },
      ],
      [older, {}],
    ] as const) {
      writeFileSync(file, backupText(bad, end));
      await expect(restoreBackup(store, file, new Date(), seal())).rejects.toMatchObject({
        code: 'server-store-failed',
        message: expect.stringContaining('--unauthenticated'),
      });
    }
    expect(await store.selectFrom('operators').selectAll().execute()).toEqual([]);
    await restoreBackup(store, file, new Date(), 'unauthenticated');
    const rows = await store.selectFrom('audit').select('detail').where('kind', '=', 'restore').execute();
    expect(rows.map(({ detail }): unknown => JSON.parse(detail))).toEqual([
      expect.objectContaining({ authenticated: false }),
    ]);
    await store.destroy();
  });

  it('a backup with one row that is not whole is refused whole', async () => {
    await rig.issue(rig.newCard().card, randomDigits(16), ENABLE);
    const file = join(places.folder, 'four.backup');
    await writeBackup(rig.context.store, file, new Date(), seal());
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(0, -1);
    const store = await openStore(await places.empty());
    const spoil = (table: string, change: (row: Record<string, unknown>) => unknown) => {
      const at = lines.findIndex((line) => line.includes(`"table":"${table}"`));
      const spoilt = { table, row: change(JSON.parse(lines[at] ?? '').row) };
      return lines.with(at, JSON.stringify(spoilt));
    };
    const without = (name: string) => (row: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(row).filter(([column]) => column !== name));
    for (const [what, bad] of Object.entries({
      'a line that is no row': [...lines, '{"table":"cards"}'],
      'a line that is no JSON': lines.with(2, 'x'),
      'a table that there is not': [...lines, '{"table":"sessions","row":{}}'],
      'a column that there is not': spoil('operators', (row) => ({ ...row, admin: 1 })),
      'a column that is missing': spoil('operators', without('disabled')),
      'a text for a number': spoil('card_keys', (row) => ({ ...row, spent: '0' })),
      'a number for a text': spoil('cards', (row) => ({ ...row, id: 5 })),
      'candidates that are none': spoil('card_keys', (row) => ({ ...row, candidates: '[]' })),
      'a time that is none': spoil('jobs', (row) => ({ ...row, started: 'yesterday' })),
      'a state that is none': spoil('card_apps', (row) => ({ ...row, state: 'fine' })),
      'a batch that is to be sent again': spoil('job_steps', (row) => ({ ...row, sealed: 'AA' })),
    })) {
      writeFileSync(file, backupText(bad, {}));
      const refused = restoreBackup(store, file, new Date(), 'unauthenticated');
      await expect(refused, what).rejects.toMatchObject({ code: 'server-store-failed' });
      for (const table of ['operators', 'cards', 'jobs', 'audit'] as const)
        expect(await store.selectFrom(table).selectAll().execute(), what).toEqual([]);
    }
    writeFileSync(file, backupText(lines, {}));
    await restoreBackup(store, file, new Date(), 'unauthenticated');
    await store.destroy();
  });

  it.each(grantSchema.options)(
    'a backup with an attempt that is allowed (%s) is restored, and the attempt is not',
    async (granted) => {
      const { card, identification } = rig.newCard();
      await rig.issue(card, randomDigits(16), ENABLE);
      const { store } = rig.context;
      const allowed = store.updateTable('card_keys').set({ granted: GRANTED[granted] });
      await allowed.where('card', '=', identification).execute();
      const file = join(places.folder, `${granted}.backup`);
      await writeBackup(store, file, new Date(), seal());
      const restored = await openStore(await places.empty());
      await restoreBackup(restored, file, new Date(), seal());
      const rows = await restored.selectFrom('card_keys').select('granted').distinct().execute();
      expect(rows).toEqual([{ granted: GRANTED.none }]);
      await restored.destroy();
    },
  );

  it('a backup that the audit does not tell of is not made', async () => {
    const config = await places.empty();
    const store = await openStore(config);
    await store.schema.alterTable('audit').renameColumn('detail', 'told').execute();
    const file = join(places.folder, 'untold.backup');
    const { module, tokenLabel, pin, softhsmConf } = rig.token;
    const pinFile = 'pinFile' in pin ? pin.pinFile : '';
    const vault = { module, tokenLabel, pinFile, ...(softhsmConf === undefined ? {} : { softhsmConf }) };
    await expect(backUp({ store: config, vault, demo: true }, file)).rejects.toThrow(/detail/);
    expect(existsSync(file)).toBe(false);
    await store.destroy();
  });

  it('a card that was set aside is released by somebody, with a reason, and that is on record', async () => {
    const { store } = rig.context;
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await rig.issue(card, account, [{ app: 'transit', action: 'delete' }]);
    await store
      .updateTable('cards')
      .set({ set_aside: JSON.stringify({ code: 'key-damaged', app: 'e-wallet' }) })
      .where('id', '=', identification)
      .execute();
    const again = () => rig.issue(card, account, ENABLE);
    expect((await refusal(again())).code).toBe('card-set-aside');
    const release = { card: identification, operator: 'chief', reason: 'looked at it' };
    expect(
      (
        await refusal(
          releaseSetAside(store, rig.context.catalogue, { ...release, operator: 'nobody' }, new Date()),
        )
      ).code,
    ).toBe('not-permitted');
    expect((await refusal(again())).code).toBe('card-set-aside');
    await releaseSetAside(store, rig.context.catalogue, release, new Date());
    expect((await again()).result).toBe('complete');
    const audited = await store
      .selectFrom('audit')
      .selectAll()
      .where('card', '=', identification)
      .where('kind', '=', 'release')
      .execute();
    expect(audited).toMatchObject([{ kind: 'release', operator: 'chief' }]);
    expect(JSON.parse(audited[0]?.detail ?? '')).toMatchObject({
      by: userInfo().username,
      reason: 'looked at it',
      setAside: { code: 'key-damaged', app: 'e-wallet' },
    });
    expect((await refusal(releaseSetAside(store, rig.context.catalogue, release, new Date()))).code).toBe(
      'nothing-to-do',
    );
  });

  it('a card whose last try is left gets it from two people only; not while a station has it in hand', async () => {
    const { store } = rig.context;
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const again = (device: CardDevice = card) => {
      card.reset();
      return rig.issue(device, account, ENABLE);
    };
    const release = { card: identification, operator: 'chief', reason: 'counted by hand' };
    const both = { ...release, second: { id: 'deputy', secret: 'a longer secret' } };
    const released = (decision: typeof release, now = new Date(Date.now() + 120_000)) =>
      releaseSetAside(store, rig.context.catalogue, decision, now);
    const bad = meddled(card, 0x82, (command) => card.transmit(spoiled(command)));
    expect(await again(bad)).toMatchObject({ error: 'card-refused-key' });
    await released(release);
    expect(await again(bad)).toMatchObject({ error: 'card-refused-key' });
    expect(triesLeft(card)).toBe(1);
    await rig.start(await rig.request(card, account, enable('identity'), 'identity'));
    for (const decision of [release, both])
      expect((await refusal(released(decision, new Date()))).code).toBe('card-in-use');
    for (let time = 0; time < 3; time += 1) {
      expect((await refusal(released(release))).code).toBe('nothing-to-do');
      expect(await again()).toMatchObject({ result: 'refused', error: 'card-refused-key' });
    }
    expect(triesLeft(card)).toBe(1);
    expect(await released(both)).toMatchObject({ lastTries: [{ app: 'e-wallet', granted: true }] });
    expect((await again()).result).toBe('complete');
    expect(triesLeft(card)).toBe(3);
  });
});

/** Bytes of a backup's hash: of all its lines but the last. */
const hashOf = (lines: readonly string[]) =>
  new Uint8Array(
    createHash('sha256')
      .update(lines.map((line) => `${line}\n`).join(''))
      .digest(),
  );

const toHexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A backup of these lines, with the right hash at its end. */
function backupText(lines: readonly string[], end: Readonly<Record<string, unknown>>): string {
  const last = { rows: lines.length - 1, sha256: toHexOf(hashOf(lines)), ...end };
  return [...lines, JSON.stringify(last), ''].join('\n');
}
