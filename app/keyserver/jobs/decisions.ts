/** What was decided about one request, before it is committed: the same value makes the receipt, the reply and the transaction. */

import type { Fate } from '../../dialects/fate.ts';
import type { JobRequest, Outcome } from '../../protocol/wire.ts';
import type { Grip } from '../issuer/account-grip.ts';
import type { CardLife } from '../issuer/card-life.ts';
import type { CardState } from '../issuer/card-state.ts';
import type { JobOnCard } from '../issuer/progress.ts';
import type { Sent } from '../issuer/state.ts';
import type { CardRow } from '../store/card-rows.ts';
import type { JobsTable } from '../store/tables.ts';
import type { Use } from './caps.ts';
import type { UsedConfirmation } from './confirmations.ts';
import type { OperatorCaller } from './context.ts';

interface Decision {
  /** The request as `hashOf` has it: the same one again changes nothing. */
  readonly hash: string;
  /** What was known of the card when it was decided. */
  readonly before: CardState;
  /** Job and card as they are once this is committed. */
  readonly next: JobOnCard;
  /** How the job ended; undefined while a batch goes out. */
  readonly outcome: Outcome | undefined;
  /** The card's life once this is committed. */
  readonly life: CardLife;
  /** The card has shown in this job that it is there, or is of a type that cannot. */
  readonly shown: boolean;
  /** The batch changes the card. */
  readonly effect: boolean;
  /** What has to be secured of the account with this; `none` where what the job has is enough. */
  readonly grip: Grip;
  /** What it uses up of the caps. */
  readonly use: Use;
  /** When it was decided, and so is on record to have happened (ISO 8601). */
  readonly at: string;
}

/** POST /v1/jobs: a job begins on a card. */
export interface StartDecision extends Decision {
  readonly caller: OperatorCaller;
  readonly request: JobRequest;
  readonly job: string;
  /** Of the card, with this job. */
  readonly generation: number;
  /** The card's row as it was; undefined for a card never seen. */
  readonly row: CardRow | undefined;
  readonly cardType: string;
  /** Used up with this. */
  readonly confirmations: readonly UsedConfirmation[];
  /** `before`, and what the look of this request found on the card. What was only seen needs no receipt: the next look finds it again. */
  readonly known: CardState;
}

/** POST /v1/jobs/{job}/answers/{seq}: a batch is answered. */
export interface StepDecision extends Decision {
  /** The job's row as it was. */
  readonly row: JobsTable;
  /** The batch that is answered. */
  readonly seq: number;
  /** Its commands, and what became of each. */
  readonly sent: readonly Sent[];
  readonly fates: readonly Fate[];
}
