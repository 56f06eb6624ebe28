/** What is known of cards: their apps and keys, read and written as one value. */
import { type Insertable, sql } from 'kysely';
import { z } from 'zod';
import { RESERVED_APP_ID } from '../../catalogue/schema.ts';
import { type KeySlotState, keyCandidateSchema } from '../../dialects/key-slots.ts';
import { type AppKeys, ungranted } from '../../dialects/keys.ts';
import { appStateSchema } from '../../protocol/wire.ts';
import type { CardAppState, CardState } from '../issuer/card-state.ts';
import { keptSchema } from '../issuer/card-state-schema.ts';
import { type DomainState, domainKeySetSchema } from '../issuer/domain-keys.ts';
import { type Ground, groundSchema } from '../issuer/ground-schema.ts';
import {
  appSlots,
  DOMAIN_SLOTS,
  domainSlots,
  dropSlots,
  GRANTED,
  goneSlots,
  grantOf,
  writeSlots,
} from './card-slots.ts';
import { inParts } from './parts.ts';
import type { Queries, Reads } from './store.ts';
import type { CardAppsTable } from './tables.ts';

/** Everything known of the card's apps and of its security domain; an unknown card has none. */
export async function readCardState(db: Reads, card: string): Promise<CardState> {
  return (await readCardStates(db, [card])).get(card) ?? { apps: {} };
}

/**
 * The same of several cards, one at least. One statement: on PostgreSQL each statement sees what was committed before it, so that of two
 * the second could tell the keys of a later moment than the first its apps.
 */
export async function readCardStates(db: Reads, cards: readonly string[]): Promise<Map<string, CardState>> {
  const rows = await db
    .selectFrom('card_apps')
    .leftJoin('card_keys', (join) =>
      join.onRef('card_keys.card', '=', 'card_apps.card').onRef('card_keys.app', '=', 'card_apps.app'),
    )
    .select(['card_apps.card', 'card_apps.app', 'state', 'instance', 'load_file_hash', 'in_doubt'])
    .select(['kept', 'ground', 'ground_job', 'ground_at', 'loaded'])
    .select(['slot', 'candidates', 'spent', 'refused', 'told', 'granted'])
    .where('card_apps.card', 'in', cards)
    .unionAll(
      db
        .selectFrom('card_keys')
        .select(['card', 'app'])
        // The domain is no app; its rows have the columns of one so that both come in one statement.
        .select([sql<string>`'missing'`.as('state'), sql<number>`0`.as('instance')])
        .select([sql<string | null>`null`.as('load_file_hash'), sql<number>`0`.as('in_doubt')])
        .select([sql<string | null>`null`.as('kept'), sql<string | null>`null`.as('ground')])
        .select([sql<string | null>`null`.as('ground_job'), sql<string | null>`null`.as('ground_at')])
        .select([sql<string | null>`null`.as('loaded')])
        .select([
          sql<string | null>`slot`.as('slot'),
          sql<string | null>`candidates`.as('candidates'),
          sql<number | null>`spent`.as('spent'),
          sql<number | null>`refused`.as('refused'),
          sql<number | null>`told`.as('told'),
          sql<number | null>`granted`.as('granted'),
        ])
        .where('card', 'in', cards)
        .where('app', '=', RESERVED_APP_ID),
    )
    .orderBy('card')
    .orderBy('app')
    .orderBy('slot')
    .execute();
  return new Map(cards.map((card) => [card, stateOf(rows.filter((row) => row.card === card))]));
}

interface AppRow extends SlotRow {
  readonly app: string;
  readonly state: string;
  readonly instance: number;
  readonly load_file_hash: string | null;
  readonly in_doubt: number;
  readonly kept: string | null;
  readonly ground: string | null;
  readonly ground_job: string | null;
  readonly ground_at: string | null;
  readonly loaded: string | null;
}

function stateOf(rows: readonly AppRow[]): CardState {
  const apps: Record<string, CardAppState> = {};
  for (const row of rows) {
    if (row.app === RESERVED_APP_ID || apps[row.app] !== undefined) continue;
    const slots = rows.filter((one) => one.app === row.app);
    apps[row.app] = {
      state: appStateSchema.parse(row.state),
      instance: row.instance,
      loadFileHash: row.load_file_hash,
      inDoubt: row.in_doubt !== 0,
      keys: keysOf(slots),
      ...(row.kept === null ? {} : { kept: keptSchema.parse(JSON.parse(row.kept)) }),
      ...(row.ground === null ? {} : { ground: groundOf(row.ground, row.ground_job, row.ground_at) }),
      ...(row.loaded === null ? {} : { loaded: row.loaded }),
    };
  }
  const domain = domainStateOf(rows.filter(({ app }) => app === RESERVED_APP_ID));
  return domain === undefined ? { apps } : { apps, domain };
}

function groundOf(by: string, job: string | null, at: string | null): Ground {
  return groundSchema.parse({ by, in: job === null ? null : { job, at } });
}

function domainStateOf(rows: readonly SlotRow[]): DomainState | undefined {
  const sets = (slot: string) => {
    const row = rows.find((one) => one.slot === slot);
    return row === undefined
      ? undefined
      : z
          .array(domainKeySetSchema)
          .min(1)
          .max(2)
          .parse(JSON.parse(row.candidates ?? 'null'));
  };
  const candidates = sets(DOMAIN_SLOTS.set);
  if (candidates === undefined) return undefined;
  const row = rows.find((one) => one.slot === DOMAIN_SLOTS.set);
  const state = { candidates, spent: row?.spent ?? 0, leaving: sets(DOMAIN_SLOTS.leaving)?.[0] ?? null };
  return row !== undefined && grantOf(row) === 'last' ? { ...state, granted: 'last' } : state;
}

interface SlotRow {
  readonly slot: string | null;
  readonly candidates: string | null;
  readonly spent: number | null;
  readonly refused: number | null;
  readonly told: number | null;
  readonly granted: number | null;
}

/** By role, as the app's dialect names them. An app that is joined with no key has one row without a slot. */
function keysOf(rows: readonly SlotRow[]): AppKeys | null {
  const slots = rows.flatMap((row) => (row.slot === null ? [] : [[row.slot, slotOf(row)] as const]));
  return slots.length === 0 ? null : Object.fromEntries(slots);
}

function slotOf(row: SlotRow): KeySlotState {
  const granted = grantOf(row);
  return {
    candidates: z
      .array(keyCandidateSchema)
      .min(1)
      .max(2)
      .parse(JSON.parse(row.candidates ?? 'null')),
    spent: row.spent ?? 0,
    refused: row.refused !== 0,
    ...(row.told === null || row.told === 0 ? {} : { told: row.told }),
    ...(granted === undefined ? {} : { granted }),
  };
}

/**
 * Writes what changed between `before`, which is on record, and `after`: three statements at most, however many apps and keys there are.
 * `issuedIn`: the job that enabled an app, asked of those that are enabled, or were before a station said otherwise; undefined where the one on record stays.
 */
export async function writeCardState(
  db: Queries,
  card: string,
  before: CardState,
  after: CardState,
  now: string,
  issuedIn: (app: string) => string | null | undefined = () => undefined,
): Promise<void> {
  const changed = Object.entries(after.apps).filter(([app, state]) => before.apps[app] !== state);
  await writeApps(
    db,
    changed.map(([app, state]) => ({
      card,
      app,
      state: state.state,
      instance: state.instance,
      load_file_hash: state.loadFileHash,
      in_doubt: state.inDoubt ? 1 : 0,
      kept: state.kept === undefined ? null : JSON.stringify(state.kept),
      ground: state.ground?.by ?? null,
      ground_job: state.ground?.in?.job ?? null,
      ground_at: state.ground?.in?.at ?? null,
      loaded: state.loaded ?? null,
      updated: now,
      issued_in: mayBeEnabled(state) ? deedOf(issuedIn(app), before.apps[app]) : null,
    })),
  );
  const domain = after.domain === before.domain ? undefined : after.domain;
  await dropSlots(db, card, [
    ...changed.flatMap(([app, { keys }]) => goneSlots(app, before.apps[app]?.keys ?? {}, keys ?? {})),
    ...(domain?.leaving === null && before.domain?.leaving != null
      ? [[RESERVED_APP_ID, DOMAIN_SLOTS.leaving] as const]
      : []),
  ]);
  await writeSlots(db, card, [
    ...changed.flatMap(([app, { keys }]) => appSlots(app, keys ?? {})),
    ...(domain === undefined ? [] : domainSlots(domain)),
  ]);
}

function mayBeEnabled({ state, kept }: CardAppState): boolean {
  return state === 'enabled' || kept?.state === 'enabled';
}

/** In the place of a job's id: the one on record stays. */
const AS_IT_WAS = '';

function deedOf(job: string | null | undefined, before: CardAppState | undefined): string | null {
  return job === undefined ? (before === undefined ? null : AS_IT_WAS) : job;
}

async function writeApps(db: Queries, rows: readonly Insertable<CardAppsTable>[]): Promise<void> {
  for (const part of inParts(rows))
    await db
      .insertInto('card_apps')
      .values(part)
      .onConflict((conflict) =>
        conflict.columns(['card', 'app']).doUpdateSet((set) => ({
          state: set.ref('excluded.state'),
          instance: set.ref('excluded.instance'),
          load_file_hash: set.ref('excluded.load_file_hash'),
          in_doubt: set.ref('excluded.in_doubt'),
          kept: set.ref('excluded.kept'),
          ground: set.ref('excluded.ground'),
          ground_job: set.ref('excluded.ground_job'),
          ground_at: set.ref('excluded.ground_at'),
          loaded: set.ref('excluded.loaded'),
          updated: set.ref('excluded.updated'),
          issued_in: set
            .case()
            .when('excluded.issued_in', '=', AS_IT_WAS)
            .then(set.ref('card_apps.issued_in'))
            .else(set.ref('excluded.issued_in'))
            .end(),
        })),
      )
      .execute();
}

/** Everything known of the card's apps and keys goes. */
export async function dropCardState(db: Queries, card: string): Promise<void> {
  await db.deleteFrom('card_keys').where('card', '=', card).execute();
  await db.deleteFrom('card_apps').where('card', '=', card).execute();
}

/** What people allowed before a restore may have been used up since: of the keys that cards have, and of those that are kept beside them. */
export async function dropGrants(db: Queries): Promise<void> {
  await db.updateTable('card_keys').set({ granted: GRANTED.none }).execute();
  const rows = await db
    .selectFrom('card_apps')
    .select(['card', 'app', 'kept'])
    .where('kept', 'is not', null)
    .execute();
  for (const { card, app, kept: text } of rows) {
    const kept = keptSchema.parse(JSON.parse(text ?? 'null'));
    const bare = JSON.stringify({ ...kept, keys: ungranted(kept.keys) });
    if (bare === text) continue;
    const one = db.updateTable('card_apps').set({ kept: bare });
    await one.where('card', '=', card).where('app', '=', app).execute();
  }
}
