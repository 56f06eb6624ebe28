/** GET /v1/cards/{identification code}: what happened to a card, who, where, when, with which keys. */

import type { Catalogue } from '../../catalogue/schema.ts';
import type { CardRecord } from '../../protocol/card-record.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { API_LEVEL } from '../../protocol/wire.ts';
import { isIssued, lifeOf, reasonOf } from '../issuer/card-life.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { findCard, ownAccount } from '../store/card-rows.ts';
import { readCardState } from '../store/cards.ts';
import { listDeeds } from '../store/deeds.ts';
import { findLatestJobs } from '../store/jobs.ts';
import type { Reads } from '../store/store.ts';
import type { JobsTable } from '../store/tables.ts';
import { atOneMoment } from '../store/transaction.ts';
import { type Cursor, readCursor, writeCursor } from './cursor.ts';
import { faultsOf, readJobs } from './job-records.ts';
import type { RecordPorts } from './ports.ts';
import { domainShown, groundShown, isInDoubt, versionsOf } from './shown.ts';

/** Jobs of one answer: with a hundred commands of a load each it stays well below the wire's limit. */
const JOBS = 50;

/**
 * The card with its newest jobs, or with those `before` a place that an earlier answer named.
 * @throws KaikaError `not-found` for a card never seen; `bad-request` for a place that is none
 */
export async function readCardRecord(
  { store, catalogue }: RecordPorts,
  card: string,
  before?: string,
): Promise<CardRecord> {
  const place = before === undefined ? undefined : readCursor(before);
  return atOneMoment(store, (db) => read(db, catalogue, card, place));
}

async function read(
  db: Reads,
  { profiles }: Catalogue,
  card: string,
  place: Cursor | undefined,
): Promise<CardRecord> {
  const row = await findCard(db, card);
  if (row === undefined) throw new KaikaError('not-found', 'this card was never seen');
  const state = await readCardState(db, card);
  const profile = profiles.find(({ id }) => id === row.card_type);
  const life = lifeOf(state, profile, readSetAside(row.set_aside));
  const found = await findLatestJobs(db, card, JOBS + 1, place);
  const page = found.slice(0, JOBS).sort(asTheyWere);
  const jobs = await readJobs(db, page);
  const deeds = await listDeeds(db, card);
  const apps = Object.entries(state.apps).map(([app, one]) => ({
    app,
    state: one.state,
    keyVersions: versionsOf(one),
    instance: one.instance,
    loadFileHash: one.loadFileHash,
    inDoubt: isInDoubt(one),
    ...groundShown(one),
    enabledBy: deeds.get(app) ?? null,
  }));
  const oldest = found.length > JOBS ? page[0] : undefined;
  return {
    apiLevel: API_LEVEL,
    card,
    cardType: row.card_type,
    account: ownAccount(row) ?? '',
    issued: isIssued(life),
    setAside: reasonOf(life),
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

/**
 * Order of two jobs of a card: by when they began, and within one millisecond by the card's generation. The generation alone would not do:
 * after a restored backup the card counts some generations a second time.
 */
function asTheyWere(a: JobsTable, b: JobsTable): number {
  return a.started === b.started ? a.generation - b.generation : a.started < b.started ? -1 : 1;
}
