/** What the engine needs from outside besides readers and the server: time and a log. Tests bring their own. */

/** Time of day and waiting. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00Z, as this machine believes. */
  now(): number;
  /** Milliseconds that only ever grow; for durations. */
  monotonic(): number;
  /** Resolves after `ms` milliseconds, or at once when `signal` aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

/**
 * The fields a log line may carry. There is no field for data of a card, a command, an account or a token, so none can
 * slip in.
 */
interface LogFields {
  readonly reader?: string;
  /** The request id of a job: chosen at random, says nothing of the card. */
  readonly job?: string;
  readonly seq?: number;
  readonly epoch?: number;
  readonly step?: string;
  readonly app?: string;
  /** Four hexadecimal digits. */
  readonly statusWord?: string;
  readonly code?: string;
  /** A return code of PC/SC, a TLS alert's name, an errno. */
  readonly detail?: string;
  readonly durationMs?: number;
  readonly count?: number;
  readonly httpStatus?: number;
}

type LogLevel = 'info' | 'warn' | 'error';

/** Takes one structured line: a short fixed event name and fields. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

/** For callers that keep no log. */
export const noLog: Log = () => undefined;
