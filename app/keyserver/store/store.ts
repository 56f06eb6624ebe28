/** What a store is, whichever database is behind it. */
import type { Kysely } from 'kysely';
import type { Database } from './tables.ts';

export type Store = Kysely<Database>;
