/** GET /v1/cards/{identification code}: what happened to a card, who, where, when, with which keys. */
import { sql } from 'kysely';
import { KaikaError } from '../../protocol/errors.ts';
import { API_LEVEL, type CardRecord, type Deed } from '../../protocol/wire.ts';
import { findCard, type Queries, readCardState } from '../store/cards.ts';
import type { Store } from '../store/open.ts';
import type { JobsTable } from '../store/tables.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { faultsOf, readJobs } from './job-records.ts';
import { domainShown, isInDoubt, isIssued, versionsOf } from './shown.ts';

/** Jobs of one answer: with a hundred commands of a load each it stays well below the wire's limit. */
const JOBS = 50;

/**
 * The card with its newest jobs, or with those `before` a place that an earlier answer named.
 * @throws KaikaError `not-found` for a card never seen; `bad-request` for a place that is none
 */
export async function readCardRecord(store: Store, card: string, before?: string): Promise<CardRecord> {
  const place = before === undefined ? undefined : readCursor(before);
  const row = await findCard(store, card);
  if (row === undefined) throw new KaikaError('not-found', 'this card was never seen');
  const state = await readCardState(store, card);
  const found = await jobsOf(store, card, place);
  const page = found.slice(0, JOBS).sort(asTheyWere);
  const jobs = await readJobs(store, page);
  const deeds = await deedsOf(store, card);
  const apps = Object.entries(state.apps).map(([app, one]) => ({
    app,
    state: one.state,
    ...versionsOf(one),
    instance: one.instance,
    loadFileHash: one.loadFileHash,
    inDoubt: isInDoubt(one),
    enabledBy: deeds.get(app) ?? null,
  }));
  const oldest = found.length > JOBS ? page[0] : undefined;
  return {
    apiLevel: API_LEVEL,
    card,
    cardType: row.card_type,
    account: row.account ?? '',
    issued: isIssued(state),
    setAside: row.set_aside,
    firstSeen: row.first_seen,
    domain: domainShown(state),
    apps,
    faults: jobs.flatMap(faultsOf),
    jobs,
    earlier:
      oldest === undefined
        ? null
        : writeCursor({ until: oldest.started, started: oldest.started, job: oldest.id }),
  };
}

/** Newest first, one more than a page has. */
async function jobsOf(store: Store, card: string, place: Cursor | undefined): Promise<JobsTable[]> {
  let query = store.selectFrom('jobs').selectAll().where('card', '=', card);
  if (place !== undefined)
    query = query.where(sql<boolean>`(started, id) < (${place.started}, ${place.job})`);
  return query
    .orderBy('started', 'desc')
    .orderBy('id', 'desc')
    .limit(JOBS + 1)
    .execute();
}

/** A card's generation counts on within one time of the store; a restored one counts some of them again. */
function asTheyWere(a: JobsTable, b: JobsTable): number {
  return a.started === b.started ? a.generation - b.generation : a.started < b.started ? -1 : 1;
}

/** By whom, where and when each app was enabled. */
async function deedsOf(db: Queries, card: string): Promise<Map<string, Deed>> {
  const rows = await db
    .selectFrom('card_apps')
    .innerJoin('jobs', 'jobs.id', 'card_apps.issued_in')
    .select(['app', 'jobs.id as job', 'operator', 'station', 'reader', 'started', 'ended'])
    .where('card_apps.card', '=', card)
    .execute();
  return new Map(rows.map(({ app, started, ended, ...deed }) => [app, { ...deed, at: ended ?? started }]));
}
