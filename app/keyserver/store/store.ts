/** The store as everything else sees it: typed queries, whichever database is behind. */
import type { Kysely } from 'kysely';
import type { Database } from './tables.ts';

export type Store = Kysely<Database>;
