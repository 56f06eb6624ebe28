/** What is known of cards: their apps and keys, read and written as one value. */
import { sql } from 'kysely';
import { z } from 'zod';
import { RESERVED_APP_ID } from '../../catalogue/schema.ts';
import { type Grant, type KeySlotState, keyCandidateSchema } from '../../dialects/key-slots.ts';
import type { AppKeys } from '../../dialects/keys.ts';
import { appStateSchema } from '../../protocol/wire.ts';
import type { CardAppState, CardState } from '../issuer/card-state.ts';
import { keptSchema } from '../issuer/card-state-schema.ts';
import { type DomainState, domainKeySetSchema } from '../issuer/domain-keys.ts';
import { groundSchema } from '../issuer/ground-schema.ts';
import type { Queries, Reads } from './store.ts';

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
    .select(['kept', 'ground'])
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
      ...(row.ground === null ? {} : { ground: groundSchema.parse(row.ground) }),
    };
  }
  const domain = domainStateOf(rows.filter(({ app }) => app === RESERVED_APP_ID));
  return domain === undefined ? { apps } : { apps, domain };
}

/** Rows of the security domain's keys: the set on the card, and the one that it is leaving. */
const DOMAIN_SLOTS = { set: 'set', leaving: 'leaving' } as const;

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

/** As the column `granted` has them. */
const GRANTED = { none: 0, last: 1, spare: 2 } as const;

function grantOf({ granted }: Pick<SlotRow, 'granted'>): Grant | undefined {
  if (granted === GRANTED.last) return 'last';
  return granted === GRANTED.spare ? 'spare' : undefined;
}

const NO_TRIES = { spent: 0, refused: 0, told: 0, granted: 0 };

async function writeDomain(db: Queries, card: string, domain: DomainState): Promise<void> {
  await writeSlot(db, card, RESERVED_APP_ID, DOMAIN_SLOTS.set, {
    candidates: domain.candidates,
    ...NO_TRIES,
    spent: domain.spent,
    granted: GRANTED[domain.granted ?? 'none'],
  });
  if (domain.leaving === null) {
    await db
      .deleteFrom('card_keys')
      .where('card', '=', card)
      .where('app', '=', RESERVED_APP_ID)
      .where('slot', '=', DOMAIN_SLOTS.leaving)
      .execute();
    return;
  }
  const candidates = [domain.leaving];
  await writeSlot(db, card, RESERVED_APP_ID, DOMAIN_SLOTS.leaving, { candidates, ...NO_TRIES });
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

/** Writes what changed between `before` and `after`. `issuedIn`: the job that enabled an app which has become so. */
export async function writeCardState(
  db: Queries,
  card: string,
  before: CardState,
  after: CardState,
  now: string,
  issuedIn: (app: string) => string | null = () => null,
): Promise<void> {
  if (after.domain !== undefined && after.domain !== before.domain) await writeDomain(db, card, after.domain);
  for (const [app, state] of Object.entries(after.apps)) {
    if (before.apps[app] === state) continue;
    const values = {
      state: state.state,
      instance: state.instance,
      load_file_hash: state.loadFileHash,
      in_doubt: state.inDoubt ? 1 : 0,
      kept: state.kept === undefined ? null : JSON.stringify(state.kept),
      ground: state.ground ?? null,
      updated: now,
    };
    const enabled = state.state === 'enabled';
    const same = enabled && before.apps[app]?.state === 'enabled';
    const issued = { ...values, issued_in: enabled && !same ? issuedIn(app) : null };
    await db
      .insertInto('card_apps')
      .values({ card, app, ...issued })
      .onConflict((conflict) => conflict.columns(['card', 'app']).doUpdateSet(same ? values : issued))
      .execute();
    await writeKeys(db, card, app, state, before.apps[app]?.keys ?? {});
  }
}

/** Everything known of the card's apps and keys goes. */
export async function dropCardState(db: Queries, card: string): Promise<void> {
  await db.deleteFrom('card_keys').where('card', '=', card).execute();
  await db.deleteFrom('card_apps').where('card', '=', card).execute();
}

/** What people allowed before a restore may have been used up since. */
export async function dropGrants(db: Queries): Promise<void> {
  await db.updateTable('card_keys').set({ granted: GRANTED.none }).execute();
}

/** `known`: the slots that were there before. Roles that the app has no more go: nobody would ever write or count them again. */
async function writeKeys(
  db: Queries,
  card: string,
  app: string,
  state: CardAppState,
  known: AppKeys,
): Promise<void> {
  if (state.keys === null) {
    await db.deleteFrom('card_keys').where('card', '=', card).where('app', '=', app).execute();
    return;
  }
  const roles = Object.keys(state.keys);
  if (Object.keys(known).some((role) => !roles.includes(role)))
    await db
      .deleteFrom('card_keys')
      .where('card', '=', card)
      .where('app', '=', app)
      .where('slot', 'not in', roles)
      .execute();
  for (const [slot, key] of Object.entries(state.keys)) {
    await writeSlot(db, card, app, slot, {
      candidates: key.candidates,
      spent: key.spent,
      refused: key.refused ? 1 : 0,
      told: key.told ?? 0,
      granted: GRANTED[key.granted ?? 'none'],
    });
  }
}

interface SlotValues {
  readonly candidates: readonly { readonly origin: string; readonly version: number }[];
  readonly spent: number;
  readonly refused: number;
  readonly told: number;
  readonly granted: number;
}

async function writeSlot(
  db: Queries,
  card: string,
  app: string,
  slot: string,
  { candidates, ...tries }: SlotValues,
): Promise<void> {
  const [version, other_version] = [0, 1].map((at) => {
    const candidate = candidates[at];
    return candidate?.origin === 'issuer' ? candidate.version : null;
  });
  const values = {
    candidates: JSON.stringify(candidates),
    ...tries,
    version: version ?? null,
    other_version: other_version ?? null,
  };
  await db
    .insertInto('card_keys')
    .values({ card, app, slot, ...values })
    .onConflict((conflict) => conflict.columns(['card', 'app', 'slot']).doUpdateSet(values))
    .execute();
}
