/** Versions of master keys that cards may still have although a station said otherwise: what is kept beside an app's keys. */
import { keptSchema } from '../issuer/card-state-schema.ts';
import type { Queries } from './store.ts';

/** One version of an app's key that a card may have, and that none of its present candidates is. */
export interface KeptVersion {
  readonly card: string;
  readonly app: string;
  readonly role: string;
  /** Null: the factory's key. */
  readonly version: number | null;
}

/** All of them, or those of one app, by card. Few apps have any: those of which something was said that nothing proved. */
export async function listKeptVersions(db: Queries, app?: string): Promise<readonly KeptVersion[]> {
  const kept = db
    .selectFrom('card_apps')
    .leftJoin('card_keys', (join) =>
      join.onRef('card_keys.card', '=', 'card_apps.card').onRef('card_keys.app', '=', 'card_apps.app'),
    )
    .select(['card_apps.card', 'card_apps.app', 'kept', 'slot', 'version', 'other_version'])
    .where('kept', 'is not', null);
  const rows = await (app === undefined ? kept : kept.where('card_apps.app', '=', app))
    .orderBy('card_apps.card')
    .orderBy('card_apps.app')
    .execute();
  const first = rows.filter(
    (row, at) => at === 0 || rows[at - 1]?.card !== row.card || rows[at - 1]?.app !== row.app,
  );
  const present = new Set(
    rows.flatMap(({ card, app: of, slot, version, other_version }) =>
      [version, other_version].map((one) => `${card} ${of} ${slot} ${one}`),
    ),
  );
  return first.flatMap(({ card, app: of, kept: text }) =>
    Object.entries(keptSchema.parse(JSON.parse(text ?? 'null')).keys).flatMap(([role, { candidates }]) =>
      candidates
        .map(({ origin, version }) => (origin === 'issuer' ? version : null))
        .filter((version) => !present.has(`${card} ${of} ${role} ${version}`))
        .map((version) => ({ card, app: of, role, version })),
    ),
  );
}
