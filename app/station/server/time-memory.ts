/** Keeps what was heard of the server's time, so that a clock that went wrong while the program was off is found out. */
import type { Log } from '../ports.ts';
import type { HeardTime } from './client.ts';

/** Written no more often than this, in milliseconds of the server's time: each write is a sync to the disk. */
const KEEP_EVERY_MS = 10 * 60_000;

/** Small numbers that outlive the program. */
interface Facts {
  fact(name: string): number | undefined;
  /** @throws KaikaError station-disk-full */
  setFact(name: string, value: number): void;
}

/** What an earlier run heard, and the place to tell what this one hears. */
export function rememberTime(
  facts: Facts,
  log: Log,
): { heard?: HeardTime; onTime: (heard: HeardTime) => void } {
  const serverTime = facts.fact('serverTime');
  const ahead = facts.fact('clockAhead');
  let kept = serverTime === undefined || ahead === undefined ? undefined : { serverTime, ahead };
  const known = kept;
  return {
    ...(known === undefined ? {} : { heard: known }),
    onTime(heard) {
      const old = kept;
      if (old !== undefined && near(heard.serverTime, old.serverTime) && near(heard.ahead, old.ahead)) return;
      kept = heard;
      try {
        facts.setFact('serverTime', Math.round(heard.serverTime));
        facts.setFact('clockAhead', Math.round(heard.ahead));
      } catch {
        log('warn', 'time not kept', { code: 'station-disk-full' });
      }
    },
  };
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < KEEP_EVERY_MS;
}
