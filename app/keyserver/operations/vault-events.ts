/** Starts and ends of vault processes, for the log and the figures. */
import type { Log } from '../log.ts';
import type { VaultEvent } from '../vault/client.ts';
import type { Metrics } from './metrics.ts';

/** The vault's own sentences name token and process, never keys. */
export function noteVault(event: VaultEvent, log: Log, metrics: Metrics): void {
  metrics.add('kaika_vault_processes_total', { kind: event.kind });
  const level = event.kind === 'ended' || event.kind === 'start-failed' ? 'warn' : 'info';
  log(level, `vault-${event.kind}`, {
    ...('pid' in event && event.pid !== undefined ? { pid: event.pid } : {}),
    ...('reason' in event ? { reason: event.reason } : {}),
    ...('token' in event ? { reason: `token ${event.token}` } : {}),
    ...('nextMs' in event && Number.isFinite(event.nextMs) ? { milliseconds: event.nextMs } : {}),
  });
}
