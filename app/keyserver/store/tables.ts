/**
 * Tables of the key server. Times are ISO 8601 UTC text, structured values JSON text, so that SQLite and PostgreSQL hold
 * the same. No column ever holds key bytes; `sealed` holds bytes enciphered under a key of the token.
 */

export interface OperatorsTable {
  id: string;
  name: string;
  /** One of those in `app/protocol/roles.ts`. */
  role: string;
  secret_hash: string;
  disabled: number;
  /** The branch that they work at; null for somebody of every branch. */
  branch: string | null;
  /** Until when the secret is good, where somebody else made it: it lets them choose their own, and do nothing else. Null for their own. */
  secret_until: string | null;
}

export interface StationsTable {
  /** SHA-256 of the client certificate, hexadecimal. */
  fingerprint: string;
  name: string;
  revoked: number;
  /** The branch that it stands in; null where a site has none. */
  branch: string | null;
}

export interface SessionsTable {
  /** SHA-256 of the token: the token itself is never stored. */
  token_hash: string;
  operator: string;
  station: string;
  expires: string;
  /** `work`, or `confirmation`: what the token is good for. */
  purpose: string;
  /** JSON of ConfirmedDeletion: what a confirmation is for; null for work. One of an older version has none, and confirms nothing. */
  confirms: string | null;
}

export interface CardsTable {
  /** Identification code. */
  id: string;
  card_type: string;
  /** Raised by every new job on the card. */
  generation: number;
  /** JSON of SetAside; null while the card is not set aside. */
  set_aside: string | null;
  first_seen: string;
  /** The store's generation in which the card's last job began: a number, as text like in `meta`. */
  store_generation: string;
}

/** Which account a card belongs to, from when until when. */
export interface BindingsTable {
  card: string;
  account: string;
  /** The 8 bytes D that the account's keys are diversified with, hexadecimal. At most one open binding of each, and of each card. */
  factor: string;
  /** When the first command left that changes the card; for a card of an older store when it was first seen. */
  since: string;
  /** Null while it holds. */
  until: string | null;
  /** The job that bound it; null where an older version kept no note of it. */
  job: string | null;
  /**
   * Until when the account is kept for the card without being the card's: a job is under way, and nothing of it has come to anything yet.
   * After that another card may be given the account. Null once the card has it.
   */
  reserved_until: string | null;
}

export interface CardAppsTable {
  card: string;
  app: string;
  state: string;
  /** Tells the lives of an app on a card apart: raised by every installation. */
  instance: number;
  load_file_hash: string | null;
  /** Hash of the load file whose package is proven to stand there whole without an instance; else null. */
  loaded: string | null;
  /** A load, an installation or a deletion may or may not have happened. */
  in_doubt: number;
  updated: string;
  /** The job that enabled it; null when it is not enabled, or was before we saw it. */
  issued_in: string | null;
  /** JSON of KeptApp: what was known before a station said otherwise and nothing proved it; else null. */
  kept: string | null;
  /** What says whether it is on the card (issuer/ground-schema.ts); null for a station's word. */
  ground: string | null;
  /** The job in which the card said so, and when; null with `ground`, and where an older version kept no note of it. */
  ground_job: string | null;
  ground_at: string | null;
}

export interface CardKeysTable {
  card: string;
  app: string;
  slot: string;
  /** JSON of KeyCandidate[], for app `isd` of DomainKeySet[]; newest first, two while in doubt. */
  candidates: string;
  /** Attempts sent since the last success, across all stations. */
  spent: number;
  /** 1 when the card refused a key that had to be right. It is not tried again until a supervisor releases the card, because tries run out. */
  refused: number;
  /** How many of `spent` the card itself has told. */
  told: number;
  /** 1 when two people allowed one attempt that may be the last, 2 when somebody allowed one that leaves a try; else 0. */
  granted: number;
  /** Versions of the issuer's master keys among the candidates, first and second; null for the factory's. For reports and retiring. */
  version: number | null;
  other_version: number | null;
}

/** Every version of an issuer's master key that was made or used, and which of them new writes use. */
export interface KeyVersionsTable {
  /** `app/<app>/<role>`, `isd/<card type>/enc`. */
  purpose: string;
  version: number;
  /** `ready`: made, never used; `active`: at most one of a purpose; `earlier`: active before; `retired`: on no card, never again. */
  state: string;
  /** Key check value, 6 hexadecimal digits: the token must have this key and no other. */
  check_value: string;
  made: string;
  /** When it last became active; null before. */
  activated: string | null;
}

export interface JobsTable {
  id: string;
  request_id: string;
  request_hash: string;
  station: string;
  operator: string;
  reader: string;
  card: string;
  account: string;
  generation: number;
  /** The batch that is out; 0 when the job ended without one. */
  seq: number;
  /** JSON of JobState. */
  state: string;
  started: string;
  ended: string | null;
  /** complete, partial, refused, superseded; null while it runs. */
  result: string | null;
  outcome: string | null;
}

export interface JobStepsTable {
  job: string;
  /** The step answered: POST /answers/{seq}; 0 for POST /jobs. */
  seq: number;
  request_hash: string;
  /** The reply, sealed; null once the next step was answered. */
  sealed: string | null;
  created: string;
  /** With an outcome: the receipt that went with it, sealed; dropped after some days. */
  receipt: string | null;
}

export interface JobCommandsTable {
  job: string;
  seq: number;
  position: number;
  step: string;
  app: string | null;
  /** Status word, or `none` (no answer), `unsent`. Never data. */
  sw: string;
  /** SHA-256 of what was loaded, with the command that installs it. */
  load_file_hash: string | null;
}

export interface LateAnswersTable {
  job: string;
  seq: number;
  generation: number;
  received: string;
  /** JSON of status words. */
  sws: string;
}

export interface LeasesTable {
  card: string;
  job: string;
  station: string;
  operator: string;
  reader: string;
  since: string;
  expires: string;
  /** 1 once the card has shown in a job of this station that it is there. */
  shown: number;
}

interface MetaTable {
  key: string;
  value: string;
}

/** How often something happened in a period; rows of past periods are dropped. */
interface CountersTable {
  scope: string;
  subject: string;
  /** Beginning of an ISO 8601 time: a day, an hour, a quarter of one. */
  period: string;
  count: number;
}

/** Wrong secrets of one operator at one place, one after the other. Not in a backup. */
export interface SignInTriesTable {
  /** Place and operator, hashed. */
  subject: string;
  failed: number;
  /** When the last one was typed. */
  last: string;
  /** Until when none is looked at. */
  until: string;
}

/** What somebody has to answer for. Rows are only ever added. */
export interface AuditTable {
  id: string;
  at: string;
  /** One of those in `app/keyserver/audit/entries.ts`. */
  kind: string;
  station: string | null;
  operator: string | null;
  card: string | null;
  job: string | null;
  /** JSON; never card data, never secrets. */
  detail: string;
}

export interface Database {
  operators: OperatorsTable;
  stations: StationsTable;
  sessions: SessionsTable;
  cards: CardsTable;
  bindings: BindingsTable;
  card_apps: CardAppsTable;
  card_keys: CardKeysTable;
  jobs: JobsTable;
  job_steps: JobStepsTable;
  job_commands: JobCommandsTable;
  late_answers: LateAnswersTable;
  leases: LeasesTable;
  meta: MetaTable;
  counters: CountersTable;
  sign_in_tries: SignInTriesTable;
  key_versions: KeyVersionsTable;
  audit: AuditTable;
}
