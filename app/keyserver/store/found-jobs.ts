/**
 * Finding cards by their jobs. It walks along an index of jobs, newest first: what it costs does not grow with the number of cards
 * (test/keyserver/records/search.test.ts looks at the databases' plans).
 */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import { jobEndSchema } from '../../protocol/card-record.ts';
import type { CardSearch } from '../../protocol/search.ts';
import type { Reads } from './store.ts';

const foundSchema = z.object({
  id: z.uuid(),
  card: z.string(),
  operator: z.string(),
  station: z.string(),
  reader: z.string(),
  started: z.string(),
  result: jobEndSchema,
});
export type FoundJob = z.infer<typeof foundSchema>;

/** What is looked for, among jobs that began before `until`. */
type JobRange = Omit<CardSearch, 'limit' | 'after'> & { readonly until: string };

/** A job, in the order of the walk. */
export interface JobPlace {
  readonly started: string;
  readonly job: string;
}

/** Jobs that fit, newest first, behind `place`. */
export async function findJobs(
  db: Reads,
  range: JobRange,
  count: number,
  place?: JobPlace,
): Promise<FoundJob[]> {
  const { rows } = await db.executeQuery(jobsQuery(db, range, count, place));
  return z.array(foundSchema).parse(rows);
}

/** For each of these cards its newest job that fits. */
export async function findNewest(
  db: Reads,
  range: JobRange,
  cards: ReadonlySet<string>,
): Promise<Map<string, string | null>> {
  if (cards.size === 0) return new Map();
  const { rows } = await db.executeQuery(newestQuery(db, range, cards));
  const found = z.array(z.object({ card: z.string(), job: z.string().nullable() })).parse(rows);
  return new Map(found.map(({ card, job }) => [card, job]));
}

/** The statement of `findJobs`, for looking at its plan. */
export function jobsQuery(db: Reads, range: JobRange, count: number, place?: JobPlace): CompiledQuery {
  const behind = place === undefined ? sql`` : sql`and (started, id) < (${place.started}, ${place.job})`;
  return sql`
    select id, card, operator, station, reader, started, result from jobs
    where ${fits(range)} ${behind}
    order by started desc, id desc limit ${sql.lit(count)}`.compile(db);
}

/** The statement of `findNewest`, for looking at its plan. */
export function newestQuery(db: Reads, range: JobRange, cards: ReadonlySet<string>): CompiledQuery {
  return sql`
    select cards.id as card, (
      select jobs.id from jobs where jobs.card = cards.id and ${fits(range)}
      order by started desc, jobs.id desc limit 1) as job
    from cards where cards.id in (${sql.join([...cards])})`.compile(db);
}

function fits({ card, account, operator, from, before, until }: JobRange): RawBuilder<unknown> {
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
