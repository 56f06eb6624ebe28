/** The server's log: one JSON object a line, only fields that are listed here. Never data, keys, tokens or bodies. */

export interface LogFields {
  readonly requestId?: string;
  readonly station?: string;
  readonly operator?: string;
  readonly job?: string;
  readonly seq?: number;
  readonly method?: string;
  readonly route?: string;
  readonly status?: number;
  readonly code?: string;
  readonly milliseconds?: number;
  readonly port?: number;
  readonly host?: string;
  readonly reason?: string;
  readonly pid?: number;
}

const ALLOWED: ReadonlySet<string> = new Set([
  'requestId',
  'station',
  'operator',
  'job',
  'seq',
  'method',
  'route',
  'status',
  'code',
  'milliseconds',
  'port',
  'host',
  'reason',
  'pid',
]);

export type Log = (level: 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void;

/** A log that writes lines to `sink`, one call a line. */
export function openLog(sink: (line: string) => void, now: () => Date = () => new Date()): Log {
  return (level, event, fields = {}) => {
    const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => ALLOWED.has(name)));
    sink(`${JSON.stringify({ time: now().toISOString(), level, event, ...kept })}\n`);
  };
}
