/**
 * What belongs together is read at one moment: a transaction that commits between two statements is in the answer whole or not at all. On
 * PostgreSQL only: the SQLite store has one connection, on which nobody comes between.
 */
import type { KyselyPlugin } from 'kysely';
import { describe, expect, it } from 'vitest';
import { readCardState } from '../../../app/keyserver/store/cards.ts';
import type { Store } from '../../../app/keyserver/store/store.ts';
import { issuerRig, randomDigits, readCardRecord } from '../../support/jobs.ts';
import { NO_POSTGRESQL } from '../../support/postgresql.ts';
import { issue } from '../../support/visits.ts';

describe.skipIf(NO_POSTGRESQL !== undefined)('on postgresql', () => {
  const rig = issuerRig('postgresql');

  it('what is known of apps and of the security domain', async () => {
    const { card, store, change } = await changing();
    const { apps, domain } = await readCardState(interrupted(store, change), card);
    expect([apps['transit']?.loadFileHash === CHANGED, domain?.spent === 3]).toEqual([false, false]);
  });

  it('a card’s row and its apps, in the record', async () => {
    const { card, store, change } = await changing();
    const { setAside, apps } = await readCardRecord(
      { ...rig.context, store: interrupted(store, change) },
      card,
    );
    const changed = apps.find(({ app }) => app === 'transit')?.loadFileHash === CHANGED;
    expect([setAside !== null, changed]).toEqual([false, false]);
  });

  /** A card whose domain was used, and a transaction that changes its row, an app and the domain's keys together. */
  async function changing() {
    const { card, identification } = rig.newCard();
    await issue(card, rig.context, randomDigits(16), [{ app: 'transit', action: 'delete' }]);
    const { store } = rig.context;
    const change = () =>
      store.transaction().execute(async (db) => {
        const setAside = JSON.stringify({ code: 'domain-keys-differ' });
        await db.updateTable('cards').set({ set_aside: setAside }).where('id', '=', identification).execute();
        await db
          .updateTable('card_apps')
          .set({ load_file_hash: CHANGED })
          .where('card', '=', identification)
          .execute();
        await db
          .updateTable('card_keys')
          .set({ spent: 3 })
          .where('card', '=', identification)
          .where('app', '=', 'isd')
          .execute();
      });
    return { card: identification, store, change };
  }
});

/** The store, with `change` committed on another connection behind the first statement that is read through it. */
function interrupted(store: Store, change: () => Promise<void>): Store {
  let first = true;
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (first) {
        first = false;
        await change();
      }
      return result;
    },
  };
  return store.withPlugin(plugin);
}

const CHANGED = 'AB'.repeat(32);
