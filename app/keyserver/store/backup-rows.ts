/**
 * What a row of each table looks like in a backup. A column that the tables get is missing here until it is named, which the compiler says: a
 * backup that is restored puts rows back that nothing else looks at before a card's keys hang on them.
 */
import { z } from 'zod';
import { RESERVED_APP_ID } from '../../catalogue/schema.ts';
import { keyCandidateSchema } from '../../dialects/key-slots.ts';
import { roleSchema } from '../../protocol/roles.ts';
import { keptSchema } from '../issuer/card-state-schema.ts';
import { domainKeySetSchema } from '../issuer/domain-keys.ts';
import { groundKindSchema } from '../issuer/ground-schema.ts';
import { GRANTED } from './card-slots.ts';
import { splitCard } from './migrations-bindings.ts';
import { withTold } from './migrations-ground.ts';
import type { Database } from './tables.ts';

/** Tables of a backup, each with the columns that order its rows. */
export const TABLES = {
  operators: ['id'],
  stations: ['fingerprint'],
  cards: ['id'],
  bindings: ['card', 'since'],
  card_apps: ['card', 'app'],
  card_keys: ['card', 'app', 'slot'],
  jobs: ['id'],
  job_steps: ['job', 'seq'],
  job_commands: ['job', 'seq', 'position'],
  late_answers: ['job', 'seq'],
  counters: ['scope', 'subject', 'period'],
  key_versions: ['purpose', 'version'],
  audit: ['id'],
  meta: ['key'],
} as const satisfies Partial<Record<keyof Database, readonly string[]>>;
export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

export type Row = Readonly<Record<string, string | number | null>>;

const text = z.string();
const count = z.number().int().min(0);
const flag = z.union([z.literal(0), z.literal(1)]);
const time = z.iso.datetime();
const json = z.string().refine(isJson, { message: 'no JSON' });
const candidates = json.refine(isCandidates, { message: 'no candidates' });

const COLUMNS: {
  readonly [Table in TableName]: {
    readonly [Column in keyof Database[Table]]-?: z.ZodType<Database[Table][Column]>;
  };
} = {
  operators: {
    id: text.min(1),
    name: text,
    role: roleSchema,
    secret_hash: text.min(1),
    disabled: flag,
    branch: text.min(1).nullable(),
    secret_until: time.nullable(),
  },
  stations: {
    fingerprint: z.string().regex(/^[0-9A-F]{64}$/),
    name: text.min(1),
    revoked: flag,
    branch: text.min(1).nullable(),
  },
  cards: {
    id: text.min(1),
    card_type: text.min(1),
    generation: count,
    // JSON, or of an older version a sentence.
    set_aside: text.nullable(),
    first_seen: time,
    store_generation: z.string().regex(/^[0-9]{1,15}$/),
  },
  bindings: {
    card: text.min(1),
    account: text.min(1),
    factor: z.string().regex(/^[0-9A-F]{16}$/),
    since: time,
    until: time.nullable(),
    job: text.nullable(),
    reserved_until: time.nullable(),
  },
  card_apps: {
    card: text.min(1),
    app: text.min(1),
    state: z.enum(['enabled', 'installed', 'missing']),
    instance: count,
    load_file_hash: text.nullable(),
    loaded: text.nullable(),
    in_doubt: flag,
    updated: time,
    issued_in: text.nullable(),
    kept: json.refine(isKept, { message: 'no keys' }).nullable(),
    ground: groundKindSchema.nullable(),
    ground_job: text.nullable(),
    ground_at: time.nullable(),
  },
  card_keys: {
    card: text.min(1),
    app: text.min(1),
    slot: text.min(1),
    candidates,
    spent: count,
    refused: flag,
    told: count,
    granted: z.literal(Object.values(GRANTED)),
    version: count.nullable(),
    other_version: count.nullable(),
  },
  jobs: {
    id: text.min(1),
    request_id: text.min(1),
    request_hash: text.min(1),
    station: text,
    operator: text,
    reader: text,
    card: text.min(1),
    account: text,
    generation: count,
    seq: count,
    state: json,
    started: time,
    ended: time.nullable(),
    result: text.nullable(),
    outcome: json.nullable(),
  },
  job_steps: {
    job: text.min(1),
    seq: count,
    request_hash: text.min(1),
    // Left out of a backup, and not taken in: no batch of before a restore is ever sent again.
    sealed: z.null(),
    created: time,
    receipt: z.null(),
  },
  job_commands: {
    job: text.min(1),
    seq: count,
    position: count,
    step: text.min(1),
    app: text.nullable(),
    sw: text,
    load_file_hash: text.nullable(),
  },
  late_answers: { job: text.min(1), seq: count, generation: count, received: time, sws: json },
  counters: { scope: text.min(1), subject: text, period: text.min(1), count },
  key_versions: {
    purpose: text.min(1),
    version: count.min(1),
    state: z.enum(['ready', 'active', 'earlier', 'retired']),
    check_value: z.string().regex(/^[0-9A-F]{6}$/),
    made: time,
    activated: time.nullable(),
  },
  audit: {
    id: text.min(1),
    at: time,
    kind: text.min(1),
    station: text.nullable(),
    operator: text.nullable(),
    card: text.nullable(),
    job: text.nullable(),
    detail: json,
  },
  meta: { key: text.min(1), value: text },
};

const lineSchema = z.strictObject({
  table: z.enum(TABLE_NAMES),
  row: z.record(z.string().regex(/^[a-z_]+$/), z.union([z.string(), z.number(), z.null()])),
});

/** Rows as this version keeps them. */
export type Kept = readonly (readonly [TableName, Row])[];

/**
 * What a line of a backup holds. `older`: the backup was taken by an older version, whose rows lack columns and whose cards hold their account.
 * undefined when anything in it is not as it has to be.
 */
export function readRow(line: unknown, older: boolean): Kept | undefined {
  const read = lineSchema.safeParse(line);
  if (!read.success) return undefined;
  const { table, row } = read.data;
  const kept = older ? asKeptNow(table, row) : ([[table, row]] as const);
  return kept.every(([into, values]) => isWhole(into, values, older)) ? kept : undefined;
}

function asKeptNow(table: TableName, row: Row): Kept {
  if (table === 'card_keys') return [[table, withTold(row)]];
  if (table !== 'cards') return [[table, row]];
  const { card, binding } = splitCard(row);
  return binding === undefined
    ? [['cards', card]]
    : [
        ['cards', card],
        ['bindings', binding],
      ];
}

function isWhole(table: TableName, row: Row, older: boolean): boolean {
  const columns: Readonly<Record<string, z.ZodType>> = COLUMNS[table];
  const named = Object.entries(columns).every(([name, schema]) =>
    Object.hasOwn(row, name) ? schema.safeParse(row[name]).success : older,
  );
  if (!named || Object.keys(row).some((name) => !Object.hasOwn(columns, name))) return false;
  return table !== 'card_keys' || hasKeysOf(row);
}

const slotSchema = z.array(keyCandidateSchema).min(1).max(2);
const domainSchema = z.array(domainKeySetSchema).min(1).max(2);

function isCandidates(value: string): boolean {
  const parsed = parseJson(value);
  return slotSchema.safeParse(parsed).success || domainSchema.safeParse(parsed).success;
}

/** The security domain has sets of keys, an app has keys. */
function hasKeysOf({ app, candidates: kept }: Row): boolean {
  const schema = app === RESERVED_APP_ID ? domainSchema : slotSchema;
  return typeof kept === 'string' && schema.safeParse(parseJson(kept)).success;
}

function isKept(value: string): boolean {
  return keptSchema.safeParse(parseJson(value)).success;
}

function isJson(value: string): boolean {
  return parseJson(value) !== undefined;
}

/** undefined for what is no JSON. */
export function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
