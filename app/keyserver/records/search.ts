/**
 * GET /v1/cards. It walks along an index of jobs, newest first, and stops when the page is full: what it costs does not grow with the
 * number of cards (test/keyserver/records/search.test.ts looks at the databases' plans).
 */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { CardPage, CardSearch } from '../../protocol/search.ts';
import { API_LEVEL, jobEndSchema } from '../../protocol/wire.ts';
import { readCardStates } from '../store/cards.ts';
import type { Store } from '../store/open.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { isIssued } from './shown.ts';

const PAGE = 20;

const foundSchema = z.object({
  id: z.uuid(),
  card: z.string(),
  operator: z.string(),
  station: z.string(),
  reader: z.string(),
  started: z.string(),
  result: jobEndSchema,
});

/** How many times an index is walked on for one page: a card that came very often may fill some of them alone. */
const MOST_WALKS = 10;

/**
 * A page of cards. It may be shorter than asked for while more follow.
 * @throws KaikaError `bad-request` for a cursor that is not ours
 */
export async function searchCards(store: Store, search: CardSearch, now: Date): Promise<CardPage> {
  const limit = search.limit ?? PAGE;
  const given = search.after === undefined ? undefined : readCursor(search.after);
  // Later jobs are not part of this search: its pages fit together though stations go on issuing.
  const range = { ...search, until: given?.until ?? now.toISOString() };
  const page: Found[] = [];
  let place = given;
  for (let walk = 0; walk < MOST_WALKS && page.length < limit; walk += 1) {
    const jobs = await foundBy(store, jobsQuery(store, range, 2 * limit, place));
    const newest = await newestOf(store, range, new Set(jobs.map(({ card }) => card)));
    const last = jobs.at(-1);
    const room = limit - page.length;
    // A card with several jobs that fit is told once, with the newest.
    const told = jobs.filter((job) => newest.get(job.card) === job.id);
    page.push(...told.slice(0, room));
    const stop = told.length > room ? told[room - 1] : jobs.length < 2 * limit ? undefined : last;
    place = stop && { until: range.until, started: stop.started, job: stop.id };
    if (place === undefined) break;
  }
  return {
    apiLevel: API_LEVEL,
    cards: await describe(store, page),
    next: place === undefined ? null : writeCursor(place),
  };
}

type Range = CardSearch & { readonly until: string };
type Found = z.infer<typeof foundSchema>;

async function foundBy(store: Store, query: CompiledQuery): Promise<Found[]> {
  return z.array(foundSchema).parse((await store.executeQuery(query)).rows);
}

/** Jobs that fit, newest first, behind `place`. For looking at its plan too. */
export function jobsQuery(store: Store, range: Range, count: number, place?: Cursor): CompiledQuery {
  const behind = place === undefined ? sql`` : sql`and (started, id) < (${place.started}, ${place.job})`;
  return sql`
    select id, card, operator, station, reader, started, result from jobs
    where ${fits(range)} ${behind}
    order by started desc, id desc limit ${sql.lit(count)}`.compile(store);
}

/** For each card its newest job that fits. */
export function newestQuery(store: Store, range: Range, cards: ReadonlySet<string>): CompiledQuery {
  return sql`
    select cards.id as card, (
      select jobs.id from jobs where jobs.card = cards.id and ${fits(range)}
      order by started desc, jobs.id desc limit 1) as job
    from cards where cards.id in (${sql.join([...cards])})`.compile(store);
}

const newestSchema = z.object({ card: z.string(), job: z.string().nullable() });

async function newestOf(
  store: Store,
  range: Range,
  cards: ReadonlySet<string>,
): Promise<Map<string, string | null>> {
  if (cards.size === 0) return new Map();
  const { rows } = await store.executeQuery(newestQuery(store, range, cards));
  return new Map(
    z
      .array(newestSchema)
      .parse(rows)
      .map(({ card, job }) => [card, job]),
  );
}

function fits({ card, account, operator, from, before, until }: Range): RawBuilder<unknown> {
  const latest = before === undefined || sameForm(before) > until ? until : sameForm(before);
  return sql.join(
    [
      ...(card === undefined ? [] : [sql`jobs.card = ${card}`]),
      ...(account === undefined ? [] : [sql`jobs.account = ${account}`]),
      ...(operator === undefined ? [] : [sql`jobs.operator = ${operator}`]),
      ...(from === undefined ? [] : [sql`jobs.started >= ${sameForm(from)}`]),
      sql`jobs.started < ${latest}`,
    ],
    sql` and `,
  );
}

/** Times of the store all have milliseconds; text of one form sorts as time goes. */
function sameForm(time: string): string {
  return new Date(time).toISOString();
}

async function describe(store: Store, page: readonly Found[]): Promise<CardPage['cards']> {
  if (page.length === 0) return [];
  const ids = page.map(({ card }) => card);
  const cards = await store.selectFrom('cards').selectAll().where('id', 'in', ids).execute();
  const states = await readCardStates(store, ids);
  return page.map(({ id, card, started, operator, station, reader, result }) => {
    const row = cards.find((one) => one.id === card);
    const state = states.get(card) ?? { apps: {} };
    return {
      card,
      cardType: row?.card_type ?? '',
      account: row?.account ?? '',
      issued: isIssued(state),
      setAside: row?.set_aside ?? null,
      apps: Object.entries(state.apps).map(([app, one]) => ({ app, state: one.state })),
      found: { job: id, at: started, operator, station, reader, result },
    };
  });
}
