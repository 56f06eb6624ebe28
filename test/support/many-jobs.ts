/** A store with as many cards and jobs as one likes, written straight into its tables: for searches, which need many. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../../app/keyserver/store/open.ts';
import type { BindingsTable, CardsTable, JobsTable } from '../../app/keyserver/store/tables.ts';
import { randomDigits } from './issuer-rig.ts';

export interface Many {
  readonly cards: number;
  readonly jobsPerCard: number;
  readonly operators: number;
  /** This card, instead of new ones. */
  readonly card?: string;
  readonly operator?: string;
}

const FIRST = Date.parse('2026-01-01T00:00:00Z');
const ROWS = 400;

/** Jobs all over January 2026, or now where they are of one card. */
export async function fillJobs(store: Store, many: Many): Promise<void> {
  const cards: CardsTable[] = [];
  const bindings: BindingsTable[] = [];
  const jobs: JobsTable[] = [];
  for (let at = 0; at < many.cards; at += 1) {
    const id = many.card ?? randomDigits(16);
    const account = randomDigits(16);
    cards.push({
      id,
      card_type: 'demo-scp03',
      generation: many.jobsPerCard,
      set_aside: null,
      first_seen: new Date(FIRST).toISOString(),
      store_generation: '1',
    });
    const since = new Date(FIRST).toISOString();
    bindings.push({
      card: id,
      account,
      factor: account,
      since,
      until: null,
      job: null,
      reserved_until: null,
    });
    for (let job = 0; job < many.jobsPerCard; job += 1) {
      const nth = at * many.jobsPerCard + job;
      const time = many.card === undefined ? FIRST + ((nth * 7_919) % 2_592_000) * 1000 : Date.now() + job;
      const started = new Date(time).toISOString();
      jobs.push({
        id: randomUUID(),
        request_id: randomUUID(),
        request_hash: '',
        station: `station-${nth % 40}`,
        operator: many.operator ?? `operator-${nth % many.operators}`,
        reader: 'reader',
        card: id,
        account,
        generation: job + 1,
        seq: 1,
        state: '{}',
        started,
        ended: started,
        result: 'complete',
        outcome: null,
      });
    }
  }
  await store.transaction().execute(async (db) => {
    for (let at = 0; at < cards.length; at += ROWS) {
      await db
        .insertInto('cards')
        .values(cards.slice(at, at + ROWS))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    }
    for (let at = 0; at < bindings.length; at += ROWS)
      await db
        .insertInto('bindings')
        .values(bindings.slice(at, at + ROWS))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    for (let at = 0; at < jobs.length; at += ROWS)
      await db
        .insertInto('jobs')
        .values(jobs.slice(at, at + ROWS))
        .execute();
  });
}
