/** Two vault processes, and each event that their supervisor can meet. */
import { VaultError } from '../../../app/keyserver/vault/error.ts';
import type { SupervisorEvent, VaultProcess } from '../../../app/keyserver/vault/supervisor-machine.ts';

export type {
  SupervisorEffect,
  SupervisorEvent,
  SupervisorState,
} from '../../../app/keyserver/vault/supervisor-machine.ts';

export const OLD: VaultProcess = { id: 1, pid: 101 };
const NEW: VaultProcess = { id: 2, pid: 102 };
export const GONE = new VaultError('hsm-away', 'gone');
export const AT = 50_000;

export const answered = (process: VaultProcess, calls: number, rss = 0): SupervisorEvent => ({
  kind: 'answered',
  process,
  calls,
  rss,
  at: AT,
});
export const opened = (token: 'open' | 'away' | 'pin-refused'): SupervisorEvent => ({
  kind: 'opened',
  process: NEW,
  opened: { token, message: 'said' },
  at: AT,
});
export const EVENTS = {
  'opened, token open': opened('open'),
  'opened, token away': opened('away'),
  'opened, PIN refused': opened('pin-refused'),
  'start failed': { kind: 'start-failed', error: GONE, at: AT },
  'answered, small': answered(OLD, 5),
  'answered, grown': answered(OLD, 1_000),
  'answered, fat': answered(OLD, 100, 401),
  'answered, fat at once': answered(OLD, 99, 401),
  'answered by another, grown': answered(NEW, 1_000),
  ended: { kind: 'ended', process: OLD, reason: 'SIGKILL', at: AT },
  'ended after a long life': { kind: 'ended', process: OLD, reason: 'SIGKILL', at: AT + 20_000 },
  'another ended': { kind: 'ended', process: NEW, reason: 'SIGKILL', at: AT },
  'pause over': { kind: 'pause-over' },
  close: { kind: 'close' },
} as const satisfies Record<string, SupervisorEvent>;
