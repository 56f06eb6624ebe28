/**
 * Reading what is on record. Whoever works at a counter reads the record of the card in front of them, so that is cheap: it is counted, and on
 * record in steps of ten. A search may tell of any card, so each page is on record. Both have a cap, because records hold accounts.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { CardSearch } from '../../protocol/search.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Limits } from '../limits.ts';
import { addCounts, type Counted, periodOf } from '../store/counters.ts';
import type { Queries, Store } from '../store/store.ts';
import { together } from '../store/transaction.ts';
import type { OperatorCaller } from './callers.ts';

interface ReadingGround {
  readonly store: Store;
  readonly now: () => Date;
  readonly limits: Pick<Limits, 'recordsPerHour'>;
}

/** In the order in which they are counted. */
const SCOPES = { operator: 'records-per-operator-hour', station: 'records-per-station-hour' } as const;

/** Before the record of one card is read. @throws KaikaError `too-many-attempts` */
export async function noteReading(
  ground: ReadingGround,
  caller: OperatorCaller,
  card: string,
): Promise<void> {
  await reserve(ground, caller, 1, async (db, count) => {
    if (/^10*$/.test(String(count)))
      await writeAudit(
        db,
        { kind: 'records-read', ...caller, card, detail: { inThisHour: count } },
        ground.now(),
      );
  });
}

/** Before a page of a search is read: as many cards as it may tell of count as read. @throws KaikaError `too-many-attempts` */
export async function noteSearch(
  ground: ReadingGround,
  caller: OperatorCaller,
  cards: number,
): Promise<void> {
  await reserve(ground, caller, cards, async () => undefined);
}

/** Before a page that was found leaves: by which conditions, and how many cards it tells of. Accounts stay out of the log. */
export async function auditSearch(
  { store, now }: Pick<ReadingGround, 'store' | 'now'>,
  caller: OperatorCaller,
  search: CardSearch,
  cards: number,
): Promise<void> {
  const { card, ...others } = search;
  const by = Object.keys(others).filter((name) => name !== 'limit' && name !== 'after');
  const found = { ...caller, ...(card === undefined ? {} : { card }) };
  const detail = { by, cards, further: search.after !== undefined };
  await writeAudit(store, { kind: 'search', ...found, detail }, now());
}

/** `note`: with how many the operator has read in this hour, these included. */
async function reserve(
  { store, now, limits }: ReadingGround,
  { station, operator }: OperatorCaller,
  by: number,
  note: (db: Queries, count: number) => Promise<void>,
): Promise<void> {
  const period = periodOf(now(), 'hour');
  const counted: readonly Counted[] = [
    { scope: SCOPES.operator, subject: operator, period },
    { scope: SCOPES.station, subject: station, period },
  ];
  const most = limits.recordsPerHour;
  const exceeded = await together(store, async (db) => {
    const counts = await addCounts(
      db,
      counted.map((one) => ({ ...one, by })),
    );
    const over = counted.findIndex((_one, at) => (counts[at] ?? 0) > most);
    if (over === -1) await note(db, counts[0] ?? 0);
    // The first excess of the hour is on record; a flood of them must not fill the store.
    else if ((counts[over] ?? 0) - by <= most)
      await writeAudit(
        db,
        { kind: 'limit', station, operator, detail: { cap: counted[over]?.scope } },
        now(),
      );
    return over !== -1;
  });
  if (exceeded) throw new KaikaError('too-many-attempts', 'more records were read than one may in an hour');
}
