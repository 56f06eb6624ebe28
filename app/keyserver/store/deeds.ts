/** Which job enabled each app of a card. */
import type { Deed } from '../../protocol/card-record.ts';
import { namesOf } from './people.ts';
import type { Queries, Reads } from './store.ts';

/** The job by which each app was enabled, as far as it is known. */
export async function readEnabledIn(db: Reads, card: string): Promise<Record<string, string>> {
  const rows = await db
    .selectFrom('card_apps')
    .select(['app', 'issued_in'])
    .where('card', '=', card)
    .where('issued_in', 'is not', null)
    .execute();
  return Object.fromEntries(rows.map(({ app, issued_in }) => [app, issued_in ?? '']));
}

/** Notes the job that enabled an app where none is noted yet. */
export async function noteEnabledIn(
  db: Queries,
  card: string,
  app: string,
  job: string | null,
): Promise<void> {
  await db
    .updateTable('card_apps')
    .set({ issued_in: job })
    .where('card', '=', card)
    .where('app', '=', app)
    .where('state', '=', 'enabled')
    .where('issued_in', 'is', null)
    .execute();
}

/** By whom, where and when each app was enabled. */
export async function listDeeds(db: Reads, card: string): Promise<Map<string, Deed>> {
  const rows = await db
    .selectFrom('card_apps')
    .innerJoin('jobs', 'jobs.id', 'card_apps.issued_in')
    .select(['app', 'jobs.id as job', 'operator', 'station', 'reader', 'started', 'ended'])
    .where('card_apps.card', '=', card)
    .execute();
  const name = await namesOf(
    db,
    rows.map(({ operator }) => operator),
  );
  return new Map(
    rows.map(({ app, started, ended, ...deed }) => [
      app,
      { ...deed, name: name(deed.operator), at: ended ?? started },
    ]),
  );
}
