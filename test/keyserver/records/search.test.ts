/** Finding cards among many: what is found, in which order, page by page; and that the databases walk along an index for it. */
import { type CompiledQuery, sql } from 'kysely';
import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { searchCards } from '../../../app/keyserver/records/search.ts';
import { jobsQuery, newestQuery } from '../../../app/keyserver/store/found-jobs.ts';
import { cardRecordSchema } from '../../../app/protocol/card-record.ts';
import { type CardSearch, cardPageSchema } from '../../../app/protocol/search.ts';
import { issuerRig, onEveryStore, randomDigits, refusal } from '../../support/jobs.ts';
import { fillJobs } from '../../support/many-jobs.ts';
import { CALLER, ENABLE, OTHER_CALLER } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  beforeAll(async () => {
    await fillJobs(rig.context.store, { cards: CARDS, jobsPerCard: 3, operators: OPERATORS });
    await sql.raw('analyze').execute(rig.context.store);
  });
  const search = (asked: CardSearch, now = new Date()) => searchCards(rig.context, asked, now);

  /** All pages of a search. */
  async function whole(asked: CardSearch, now?: Date) {
    const cards = [];
    for (let after: string | undefined; ; ) {
      const page = cardPageSchema.parse(
        await search({ ...asked, ...(after === undefined ? {} : { after }) }, now),
      );
      cards.push(...page.cards);
      if (page.next === null) return cards;
      after = page.next;
    }
  }

  it('a card just issued is found by number, account, operator and day, with who issued it', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const begun = new Date();
    await rig.issue(card, account, ENABLE, 'e-wallet');
    const day = { from: begun.toISOString(), before: new Date(Date.now() + 1000).toISOString() };
    const later = new Date(Date.now() + 5_000);
    for (const asked of [
      { card: identification },
      { account },
      { operator: CALLER.operator },
      day,
      { card: identification, account, operator: CALLER.operator, ...day },
    ]) {
      expect((await search(asked, later)).cards, JSON.stringify(asked)).toMatchObject([
        {
          card: identification,
          account,
          issued: true,
          setAside: null,
          found: {
            operator: CALLER.operator,
            station: CALLER.station,
            reader: 'virtual',
            result: 'complete',
          },
        },
      ]);
    }
    for (const asked of [
      { card: identification, operator: 'somebody else' },
      { account, before: begun.toISOString() },
      { account: randomDigits(16) },
    ])
      expect(await search(asked, later), JSON.stringify(asked)).toMatchObject({ cards: [], next: null });
  });

  it('a card that came several times is told once, with the newest job that fits', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await rig.issue(card, account, ENABLE, 'e-wallet');
    await rig.issue(card, account, [{ app: 'transit', action: 'delete' }], undefined, OTHER_CALLER);
    const later = new Date(Date.now() + 5_000);
    const { cards } = await search({ account }, later);
    expect(cards).toMatchObject([{ card: identification, found: { operator: OTHER_CALLER.operator } }]);
    expect((await search({ account, operator: CALLER.operator }, later)).cards).toMatchObject([
      { card: identification, found: { operator: CALLER.operator } },
    ]);
  });

  it('pages give every card once, newest first, also while new jobs come in between', async () => {
    const asked = { operator: 'operator-3', limit: 37 };
    const expected = await rig.context.store
      .selectFrom('jobs')
      .select(['card', (max) => max.fn.max('started').as('newest')])
      .where('operator', '=', 'operator-3')
      .groupBy('card')
      .orderBy('newest', 'desc')
      .execute();
    const now = new Date();
    const first = await search(asked, now);
    // The last card of all comes again after the first page was read.
    const { card } = expected.at(-1) ?? { card: '' };
    await fillJobs(rig.context.store, {
      cards: 1,
      jobsPerCard: 1,
      operators: 1,
      card,
      operator: 'operator-3',
    });
    const rest = await whole({ ...asked, after: first.next ?? '' }, new Date(Date.now() + 60_000));
    const told = [...first.cards, ...rest];
    expect(told.map((one) => one.found.at)).toEqual(expected.map((one) => one.newest));
    expect(new Set(told.map((one) => one.card)).size).toBe(expected.length);
  });

  it('a place to go on from that is none of ours is refused', async () => {
    for (const after of ['AAAA', Buffer.from('now then me').toString('base64url')])
      expect((await refusal(search({ after }))).code).toBe('bad-request');
  });

  it('a card with very many jobs is told in parts', async () => {
    const card = '8'.repeat(16);
    await fillJobs(rig.context.store, { cards: 1, jobsPerCard: 120, operators: 3, card });
    const jobs = [];
    let parts = 0;
    for (let before: string | undefined; ; parts += 1) {
      const record = cardRecordSchema.parse(await rig.record(card, before));
      jobs.unshift(...record.jobs);
      if (record.earlier === null) break;
      before = record.earlier;
    }
    expect(parts).toBe(2);
    expect(new Set(jobs.map((one) => one.job)).size).toBe(120);
    expect(jobs.map((one) => one.started)).toEqual(jobs.map((one) => one.started).sort());
  });

  const now = new Date();
  const until = now.toISOString();
  const place = { until, started: until, job: '9b2d5e0a-3f0c-4f43-8a53-54f2d1f4a0a1' };
  it.each<[string, CardSearch, string]>([
    ['nothing', {}, 'jobs_by_time'],
    ['a day', { from: '2026-01-03T00:00:00Z', before: '2026-01-04T00:00:00Z' }, 'jobs_by_time'],
    ['an operator', { operator: 'operator-1' }, 'jobs_by_operator'],
    [
      'an operator and a day',
      { operator: 'operator-1', from: '2026-01-03T00:00:00Z', before: '2026-01-04T00:00:00Z' },
      'jobs_by_operator',
    ],
    ['an account', { account: '1234567890123456' }, 'jobs_by_account'],
    ['a card', { card: '1234567890123456' }, 'jobs_of_card'],
  ])('asked for %s it walks along an index and sorts nothing, on every page', async (_name, asked, index) => {
    for (const at of [undefined, place]) {
      const plan = await planOf(jobsQuery(rig.context.store, { ...asked, until }, 40, at));
      // PostgreSQL may sort the few jobs of one card or account.
      const few = asked.card !== undefined || asked.account !== undefined;
      expect(plan).toMatch(few ? /jobs_of_card|jobs_by_account|jobs_open/ : index);
      expect(plan).not.toMatch(few ? WHOLE : /Sort|TEMP B-TREE/);
      expect(plan).not.toMatch(WHOLE);
    }
    const cards = new Set(['1234567890123456', '1234567890123457']);
    expect(await planOf(newestQuery(rig.context.store, { ...asked, until }, cards))).not.toMatch(WHOLE);
  });

  async function planOf(query: CompiledQuery): Promise<string> {
    const explain = kind === 'sqlite' ? 'explain query plan' : 'explain';
    const { rows } = await rig.context.store.executeQuery({ ...query, sql: `${explain} ${query.sql}` });
    const line = z.union([z.object({ detail: z.string() }), z.object({ 'QUERY PLAN': z.string() })]);
    return rows.map((row) => Object.values(line.parse(row)).join(' ')).join('\n');
  }
});

/** A walk through a whole table. */
const WHOLE = /SCAN (?!.*USING.*INDEX)|Seq Scan|Hash|Materialize/;

const CARDS = 4_000;

const OPERATORS = 8;
