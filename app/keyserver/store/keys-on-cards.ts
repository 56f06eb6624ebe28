/** Which cards are on which version of a master key; everything a slot may hold counts, doubts included. */
import { RESERVED_APP_ID } from '../../catalogue/schema.ts';
import { listKeptVersions } from './kept-keys.ts';
import type { Queries } from './store.ts';

/** Where `card_keys` keeps what cards have of a master key. */
export type KeyPlace =
  | { readonly kind: 'app'; readonly app: string; readonly slot: string }
  | { readonly kind: 'domain'; readonly cardType: string };

/** How many cards have a version of a key, or may have it. */
interface VersionCount {
  readonly purpose: string;
  /** Null: the factory's key. */
  readonly version: number | null;
  readonly cards: number;
}

/** Slots that may hold `version` of the key, of every card. */
function onCards(db: Queries, place: KeyPlace, version: number) {
  const slots = db
    .selectFrom('card_keys')
    .where((is) => is.or([is('version', '=', version), is('other_version', '=', version)]));
  return place.kind === 'app'
    ? slots.where('card_keys.app', '=', place.app).where('slot', '=', place.slot)
    : slots
        .where('card_keys.app', '=', RESERVED_APP_ID)
        .where(
          'card_keys.card',
          'in',
          db.selectFrom('cards').select('id').where('card_type', '=', place.cardType),
        );
}

export async function countOnCards(db: Queries, place: KeyPlace, version: number): Promise<number> {
  const { count } = await onCards(db, place, version)
    .select((select) => select.fn.count<number | string>('card_keys.card').distinct().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count) + (await keptOn(db, place, version)).length;
}

/** Cards that have no such key by what was said last, and may have it nevertheless. */
async function keptOn(db: Queries, place: KeyPlace, version: number): Promise<readonly string[]> {
  if (place.kind === 'domain') return [];
  const kept = await listKeptVersions(db, place.app);
  return kept
    .filter(({ role, version: one }) => role === place.slot && one === version)
    .map(({ card }) => card);
}

/** One page of the cards that have a version of a key or may have it, in the order of their codes, behind `after`. */
export async function listOnCards(
  db: Queries,
  place: KeyPlace,
  version: number,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const rows = await onCards(db, place, version)
    .select('card_keys.card')
    .distinct()
    .where('card_keys.card', '>', page.after)
    .orderBy('card_keys.card')
    .limit(page.limit)
    .execute();
  const kept = (await keptOn(db, place, version)).filter((card) => card > page.after);
  const cards = [...rows.map(({ card }) => card), ...kept].sort();
  return cards.slice(0, page.limit);
}

/** Every version that is on a card, app by app and card type by card type. A slot in doubt counts once for each. */
export async function countVersions(db: Queries): Promise<readonly VersionCount[]> {
  const counts: VersionCount[] = [];
  for (const column of ['version', 'other_version'] as const) {
    const apps = await db
      .selectFrom('card_keys')
      .select(['app', 'slot', column])
      .select((select) => select.fn.countAll<number | string>().as('count'))
      .where('app', '!=', RESERVED_APP_ID)
      .groupBy(['app', 'slot', column])
      .execute();
    for (const row of apps)
      add(counts, `app/${row.app}/${row.slot}`, row[column], Number(row.count), column === 'version');
    const domains = await db
      .selectFrom('card_keys')
      .innerJoin('cards', 'cards.id', 'card_keys.card')
      .select(['card_type', `card_keys.${column}`])
      .select((select) => select.fn.countAll<number | string>().as('count'))
      .where('app', '=', RESERVED_APP_ID)
      .where('slot', '=', 'set')
      .groupBy(['card_type', `card_keys.${column}`])
      .execute();
    for (const row of domains)
      add(counts, `isd/${row.card_type}`, row[column], Number(row.count), column === 'version');
  }
  for (const { app, role, version } of await listKeptVersions(db))
    add(counts, `app/${app}/${role}`, version, 1, false);
  return counts.sort((a, b) =>
    a.purpose === b.purpose ? (a.version ?? 0) - (b.version ?? 0) : a.purpose < b.purpose ? -1 : 1,
  );
}

/** A second candidate without a version is either the factory's or none; it is not counted. */
function add(
  counts: VersionCount[],
  purpose: string,
  version: number | null,
  cards: number,
  first: boolean,
): void {
  if (version === null && !first) return;
  const at = counts.findIndex((one) => one.purpose === purpose && one.version === version);
  const known = counts[at];
  if (known === undefined) counts.push({ purpose, version, cards });
  else counts[at] = { ...known, cards: known.cards + cards };
}
