/** Reading the record leaves a trace, and has an end. */
import { expect, it } from 'vitest';
import { Authority } from '../../../app/keyserver/access/authority.ts';
import { searchCards } from '../../../app/keyserver/records/search.ts';
import { CALLER, ENABLE, OTHER_CALLER } from '../../support/forwarder.ts';
import { HIGH_LIMITS, issuerRig, randomDigits } from '../../support/issuer-rig.ts';
import { refusal } from '../../support/issuer-steps.ts';
import { onEveryStore } from '../../support/stores.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  let day = 0;
  const watched = (recordsPerHour: number) => {
    day += 2;
    const shift = day * 24 * 3600_000;
    const ground = {
      ...rig.context,
      limits: { ...HIGH_LIMITS, recordsPerHour },
      now: () => new Date(Date.now() + shift),
    };
    const since = ground.now().toISOString();
    const audited = async () =>
      (
        await rig.context.store
          .selectFrom('audit')
          .selectAll()
          .where('at', '>=', since)
          .orderBy('at')
          .execute()
      ).map(({ detail, ...row }) => ({ ...row, detail: JSON.parse(detail) }));
    return { authority: new Authority(ground), audited };
  };

  it('card after card: counted by operator and station, on record in steps of ten, and ended', async () => {
    const { authority, audited } = watched(12);
    for (let read = 0; read < 12; read += 1) await authority.noteReading(CALLER, randomDigits(16));
    for (const caller of [CALLER, { ...CALLER, operator: 'x' }, { ...CALLER, station: 'x' }])
      expect((await refusal(authority.noteReading(caller, randomDigits(16)))).code).toBe('too-many-attempts');
    await authority.noteReading(OTHER_CALLER, randomDigits(16));
    expect(await audited()).toMatchObject([
      { kind: 'records-read', ...CALLER, detail: { inThisHour: 1 } },
      { kind: 'records-read', ...CALLER, detail: { inThisHour: 10 } },
      { kind: 'limit', ...CALLER },
      { kind: 'records-read', ...OTHER_CALLER, detail: { inThisHour: 1 } },
    ]);
  });

  it('asked at once: no more than the cap', async () => {
    const { authority } = watched(5);
    const asked = Array.from({ length: 20 }, () => authority.noteReading(CALLER, randomDigits(16)));
    const told = await Promise.allSettled(asked);
    expect(told.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  });

  it('a search: each page is on record with what was asked and how many cards it told of', async () => {
    const account = randomDigits(16);
    await rig.issue(rig.newCard().card, account, ENABLE);
    const { authority, audited } = watched(100);
    const search = { account, operator: CALLER.operator, limit: 40 };
    const read = () => searchCards(rig.context, search, new Date());
    expect((await authority.searching(CALLER, search, 40, read)).cards).toHaveLength(1);
    await authority.searching(CALLER, search, 40, read);
    // A page may tell of forty cards, and there is room for twenty more.
    expect((await refusal(authority.searching(CALLER, search, 40, read))).code).toBe('too-many-attempts');
    const rows = await audited();
    const row = {
      kind: 'search',
      ...CALLER,
      detail: { by: ['account', 'operator'], cards: 1, further: false },
    };
    expect(rows).toMatchObject([row, row, { kind: 'limit' }]);
    expect(JSON.stringify(rows)).not.toContain(account);
  });
});
