/** GET /v1/cards: a page of cards by their jobs. What it costs does not grow with the number of cards (app/keyserver/store/found-jobs.ts). */
import type { Catalogue } from '../../catalogue/schema.ts';
import type { CardPage, CardSearch } from '../../protocol/search.ts';
import { API_LEVEL } from '../../protocol/wire.ts';
import { isIssued, lifeOf, reasonOf } from '../issuer/card-life.ts';
import { readSetAside } from '../issuer/set-aside-stored.ts';
import { listCards, ownAccount } from '../store/card-rows.ts';
import { readCardStates } from '../store/cards.ts';
import { type FoundJob, findJobs, findNewest, type JobPlace } from '../store/found-jobs.ts';
import { namesOf } from '../store/people.ts';
import type { Reads } from '../store/store.ts';
import { atOneMoment } from '../store/transaction.ts';
import { readCursor, writeCursor } from './cursor.ts';
import type { RecordPorts } from './ports.ts';

const PAGE = 20;

/** Cards that a page tells of at most. */
export function pageOf({ limit }: CardSearch): number {
  return limit ?? PAGE;
}

/** How many times an index is walked on for one page: a card that came very often may fill some of them alone. */
const MOST_WALKS = 10;

/**
 * A page of cards. It may be shorter than asked for while more follow.
 * @throws KaikaError `bad-request` for a cursor that is not ours
 */
export async function searchCards(
  { store, catalogue }: RecordPorts,
  search: CardSearch,
  now: Date,
): Promise<CardPage> {
  const given = search.after === undefined ? undefined : readCursor(search.after);
  // Later jobs are not part of this search: its pages fit together though stations go on issuing.
  const until = given?.until ?? now.toISOString();
  return atOneMoment(store, (db) => readPage(db, catalogue, search, until, given));
}

async function readPage(
  db: Reads,
  catalogue: Catalogue,
  search: CardSearch,
  until: string,
  behind: JobPlace | undefined,
): Promise<CardPage> {
  const limit = pageOf(search);
  const range = { ...search, until };
  const page: FoundJob[] = [];
  let place = behind;
  for (let walk = 0; walk < MOST_WALKS && page.length < limit; walk += 1) {
    const jobs = await findJobs(db, range, 2 * limit, place);
    const newest = await findNewest(db, range, new Set(jobs.map(({ card }) => card)));
    const last = jobs.at(-1);
    const room = limit - page.length;
    // A card with several jobs that fit is told once, with the newest.
    const told = jobs.filter((job) => newest.get(job.card) === job.id);
    page.push(...told.slice(0, room));
    const stop = told.length > room ? told[room - 1] : jobs.length < 2 * limit ? undefined : last;
    place = stop && { started: stop.started, job: stop.id };
    if (place === undefined) break;
  }
  return {
    apiLevel: API_LEVEL,
    cards: await describe(db, catalogue, page),
    next: place === undefined ? null : writeCursor({ until, ...place }),
  };
}

async function describe(
  db: Reads,
  { profiles }: Catalogue,
  page: readonly FoundJob[],
): Promise<CardPage['cards']> {
  if (page.length === 0) return [];
  const ids = page.map(({ card }) => card);
  const cards = await listCards(db, ids);
  const states = await readCardStates(db, ids);
  const name = await namesOf(
    db,
    page.map(({ operator }) => operator),
  );
  return page.map(({ id, card, started, operator, station, reader, result }) => {
    const row = cards.find((one) => one.id === card);
    const state = states.get(card) ?? { apps: {} };
    const profile = profiles.find((one) => one.id === row?.card_type);
    const life = lifeOf(state, profile, readSetAside(row?.set_aside));
    return {
      card,
      cardType: row?.card_type ?? '',
      account: ownAccount(row) ?? '',
      issued: isIssued(life),
      setAside: reasonOf(life),
      apps: Object.entries(state.apps).map(([app, one]) => ({ app, state: one.state })),
      found: { job: id, at: started, operator, name: name(operator), station, reader, result },
    };
  });
}
