/** What the station finds of itself: reader service, readers, server. `blocked`: cannot be told without the part before. Pure. */
import type { FaultView, StationView } from '../../../electron/ipc-schema.ts';

export interface Check {
  readonly part: 'service' | 'reader' | 'server';
  readonly state: 'good' | 'waiting' | 'problem' | 'blocked';
  readonly fault?: FaultView;
  /** Readers found. */
  readonly count?: number;
}

export function checksOf({ engine, service, server, readers }: StationView): Check[] {
  const up = engine.kind === 'running';
  const serviceUp = up && service.kind === 'running';
  return [
    !up || service.kind === 'starting'
      ? { part: 'service', state: 'waiting' }
      : service.kind === 'missing'
        ? { part: 'service', state: 'problem', fault: { code: service.code, details: {} } }
        : { part: 'service', state: 'good' },
    !serviceUp
      ? { part: 'reader', state: service.kind === 'missing' ? 'blocked' : 'waiting' }
      : readers.length === 0
        ? { part: 'reader', state: 'problem', fault: { code: 'no-reader', details: {} } }
        : { part: 'reader', state: 'good', count: readers.length },
    !up || server.state === 'unknown'
      ? { part: 'server', state: 'waiting' }
      : server.state === 'away'
        ? { part: 'server', state: 'problem', fault: { code: server.code ?? 'server-away', details: {} } }
        : { part: 'server', state: 'good' },
  ];
}
