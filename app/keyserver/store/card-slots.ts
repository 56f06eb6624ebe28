/** The key slots of a card as rows: of its apps, by role, and of its security domain. */
import type { Insertable } from 'kysely';
import { RESERVED_APP_ID } from '../../catalogue/schema.ts';
import type { Grant } from '../../dialects/key-slots.ts';
import type { AppKeys } from '../../dialects/keys.ts';
import type { DomainState } from '../issuer/domain-keys.ts';
import { inParts } from './parts.ts';
import type { Queries } from './store.ts';
import type { CardKeysTable } from './tables.ts';

/** Rows of the security domain's keys: the set on the card, and the one that it is leaving. */
export const DOMAIN_SLOTS = { set: 'set', leaving: 'leaving' } as const;

/** As the column `granted` has them. */
export const GRANTED = { none: 0, last: 1, spare: 2, shown: 3 } as const;

export function grantOf({ granted }: { readonly granted: number | null }): Grant | undefined {
  switch (granted) {
    case GRANTED.last:
      return 'last';
    case GRANTED.spare:
      return 'spare';
    case GRANTED.shown:
      return 'shown';
    default:
      return undefined;
  }
}

type SlotRow = Omit<Insertable<CardKeysTable>, 'card'>;

/** An app and one of its slots. */
type SlotName = readonly [app: string, slot: string];

/** Roles that the app has no more: nobody would ever write or count them again. */
export function goneSlots(app: string, before: AppKeys, after: AppKeys): SlotName[] {
  return Object.keys(before).flatMap((role) => (Object.hasOwn(after, role) ? [] : [[app, role] as const]));
}

export function appSlots(app: string, keys: AppKeys): SlotRow[] {
  return Object.entries(keys).map(([slot, { candidates, spent, refused, told = 0, granted }]) => ({
    app,
    slot,
    ...versioned(candidates),
    spent,
    refused: refused ? 1 : 0,
    told,
    granted: GRANTED[granted ?? 'none'],
  }));
}

export function domainSlots({ candidates, spent, granted, leaving }: DomainState): SlotRow[] {
  const row = { app: RESERVED_APP_ID, refused: 0, told: 0 };
  const set = {
    ...row,
    slot: DOMAIN_SLOTS.set,
    ...versioned(candidates),
    spent,
    granted: GRANTED[granted ?? 'none'],
  };
  return leaving === null
    ? [set]
    : [set, { ...row, slot: DOMAIN_SLOTS.leaving, ...versioned([leaving]), spent: 0, granted: GRANTED.none }];
}

function versioned(candidates: readonly { readonly origin: string; readonly version: number }[]) {
  const [version = null, other_version = null] = candidates.map((candidate) =>
    candidate.origin === 'issuer' ? candidate.version : null,
  );
  return { candidates: JSON.stringify(candidates), version, other_version };
}

export async function dropSlots(db: Queries, card: string, slots: readonly SlotName[]): Promise<void> {
  if (slots.length === 0) return;
  await db
    .deleteFrom('card_keys')
    .where('card', '=', card)
    .where((is) => is.or(slots.map(([app, slot]) => is.and([is('app', '=', app), is('slot', '=', slot)]))))
    .execute();
}

export async function writeSlots(db: Queries, card: string, slots: readonly SlotRow[]): Promise<void> {
  for (const part of inParts(slots))
    await db
      .insertInto('card_keys')
      .values(part.map((slot) => ({ card, ...slot })))
      .onConflict((conflict) =>
        conflict.columns(['card', 'app', 'slot']).doUpdateSet((set) => ({
          candidates: set.ref('excluded.candidates'),
          spent: set.ref('excluded.spent'),
          refused: set.ref('excluded.refused'),
          told: set.ref('excluded.told'),
          granted: set.ref('excluded.granted'),
          version: set.ref('excluded.version'),
          other_version: set.ref('excluded.other_version'),
        })),
      )
      .execute();
}
