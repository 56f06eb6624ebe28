/** What a store is, whichever database is behind it. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './tables.ts';

export type Store = Kysely<Database>;

/** Where a query may run: on the store itself, or inside a transaction of it. */
export type Queries = Store | Transaction<Database>;
