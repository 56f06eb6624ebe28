/** What a store is, whichever database is behind it. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './tables.ts';

export type Store = Kysely<Database>;

/** Where a query may run: on the store itself, or inside a transaction of it. */
export type Queries = Store | Transaction<Database>;

/** What reads only: a function that is given this can change nothing. */
export type Reads = Pick<Store, 'selectFrom' | 'executeQuery' | 'getExecutor'>;
