/** What somebody has to answer for, one row each. */
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { insertAudit, isOnRecord } from '../store/audit.ts';
import type { Queries, Reads } from '../store/store.ts';

/** What is entered, and whether somebody at the server's own terminal did it; otherwise a station or the server itself did. */
const KINDS = {
  limit: 'wire',
  receipt: 'wire',
  'job-refused': 'wire',
  'purse-confirmed': 'wire',
  search: 'wire',
  'records-read': 'wire',
  release: 'terminal',
  unbind: 'terminal',
  forget: 'terminal',
  restore: 'terminal',
  backup: 'terminal',
  'operator-add': 'terminal',
  'operator-secret': 'terminal',
  'operator-role': 'terminal',
  'operator-disable': 'terminal',
  'operator-enable': 'terminal',
  'operator-unlock': 'terminal',
  // By whoever has the machine, and nobody else.
  'admin-recover': 'terminal',
  'sign-in-refused': 'terminal',
  // Chosen at a station, or at the terminal, by the one whom it is about.
  'operator-own-secret': 'wire',
  'terminal-own-secret': 'terminal',
  'station-add': 'terminal',
  'station-certificate': 'terminal',
  'station-revoke': 'terminal',
  'station-move': 'terminal',
  'key-make': 'terminal',
  'key-fix': 'terminal',
  'key-activate': 'terminal',
  'key-retire': 'terminal',
  // Taken over from the token by whichever command or server comes first.
  'key-adopt': 'server',
} as const satisfies Record<string, 'terminal' | 'wire' | 'server'>;

type AuditKind = keyof typeof KINDS;

interface AuditEntry {
  readonly kind: AuditKind;
  /** The station that did it, or that it was done to. */
  readonly station?: string;
  /** The operator who answers for it, or to whom it was done. */
  readonly operator?: string;
  readonly card?: string;
  readonly job?: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Entries of the terminal also name the system's user, `by`: operator and reason are what somebody typed. */
export async function writeAudit(db: Queries, entry: AuditEntry, now: Date): Promise<void> {
  const by = KINDS[entry.kind] === 'terminal' ? systemUser() : undefined;
  await insertAudit(db, {
    id: randomUUID(),
    at: now.toISOString(),
    kind: entry.kind,
    station: entry.station ?? null,
    operator: entry.operator ?? null,
    card: entry.card ?? null,
    job: entry.job ?? null,
    detail: JSON.stringify(by === undefined ? entry.detail : { by, ...entry.detail }),
  });
}

/** The user whom the operating system lets run this program; its number where it has no name, as in a container. */
function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Whether somebody did one of these to the card since `at` (ISO 8601). */
export function isDone(db: Reads, card: string, kinds: readonly AuditKind[], at: string): Promise<boolean> {
  return isOnRecord(db, card, kinds, at);
}
