/** What a job needs of its surroundings. */
import type { Catalogue } from '../../catalogue/schema.ts';
import type { Clock, Log } from '../ports.ts';
import type { ServerClient } from '../server/client.ts';
import type { ServerLine } from '../server/line.ts';
import type { Journal } from './journal/journal.ts';

export interface JobPorts {
  readonly journal: Journal;
  readonly server: ServerClient;
  /** What cards of each type can be told to do. */
  readonly catalogue: Catalogue;
  /** Whether a key's last try may be sent from here. */
  readonly lastTries: boolean;
  readonly line: ServerLine;
  readonly clock: Clock;
  readonly log: Log;
  /** The session token to send; undefined when nobody is signed in. */
  readonly token: () => string | undefined;
  /** Told the id of the job whose view changed. */
  readonly onChange: (job: string) => void;
  /** Milliseconds after which a first request without an answer is given up. */
  readonly startLimitMs: number;
}
