/**
 * What each role may: one table, from which the doors of the wire, the commands at the terminal and the tables in docs/api.md and docs/security.md
 * follow. Nobody has two roles: whoever makes keys issues no cards, and whoever lets people in looks at no customer's record. Pure.
 */
import type { Role } from '../../protocol/roles.ts';

interface Holders {
  /** In words for people. */
  readonly what: string;
  readonly roles: readonly Role[];
}

/** Each right with those who have it. */
export const RIGHTS = {
  issue: { what: 'begin jobs on cards', roles: ['operator', 'supervisor'] },
  'read-card': { what: 'read the record of one card', roles: ['operator', 'supervisor', 'auditor'] },
  'search-cards': {
    what: 'find cards by number, account, operator and time',
    roles: ['operator', 'supervisor', 'auditor'],
  },
  'confirm-deletion': { what: 'confirm a deletion that somebody else asks for', roles: ['supervisor'] },
  'decide-card': {
    what: 'let a card be worked on again, and take back what was claimed of one',
    roles: ['supervisor'],
  },
  'change-keys': { what: 'make, activate and retire master keys', roles: ['key-custodian'] },
  'manage-people': { what: 'let people in and out, and say what they may', roles: ['site-admin'] },
  'manage-stations': { what: 'let stations in and out', roles: ['site-admin'] },
} as const satisfies Readonly<Record<string, Holders>>;

export type Right = keyof typeof RIGHTS;

/** The same for each right. */
export function byRight<T>(make: (right: Right) => T): Readonly<Record<Right, T>> {
  const rights = Object.keys(RIGHTS) as Right[];
  return Object.fromEntries(rights.map((right) => [right, make(right)])) as Record<Right, T>;
}

export function hasRight(role: Role, right: Right): boolean {
  const { roles }: Holders = RIGHTS[right];
  return roles.includes(role);
}
