/** The receipt that goes with a step: what is true of card and job once the step is committed (app/keyserver/recovery/receipt.ts). */
import { stepNameSchema } from '../../protocol/wire.ts';
import { swText } from '../issuer/answers.ts';
import { reasonOf } from '../issuer/card-life.ts';
import type { CardState } from '../issuer/card-state.ts';
import type { JobOnCard } from '../issuer/progress.ts';
import { type ReceiptContent, sealReceipt } from '../recovery/receipt.ts';
import { type AnsweredCommand, packCommands } from '../recovery/receipt-commands.ts';
import { type CardRow, findCard } from '../store/card-rows.ts';
import { listCommands } from '../store/commands.ts';
import { readEnabledIn } from '../store/deeds.ts';
import type { Queries } from '../store/store.ts';
import type { JobContext } from './context.ts';
import type { StartDecision, StepDecision } from './decisions.ts';

/** Whether the step changed nothing on the card except tries that may have been spent. Such a step needs no receipt of its own. */
function teachesNothing(before: CardState, after: CardState): boolean {
  const withoutTries = (state: CardState) =>
    JSON.stringify(state, (name, value: unknown) =>
      // What is kept beside keys that are the same tells of tries only.
      name === 'spent' ? 0 : name === 'kept' || name === 'granted' ? undefined : value,
    );
  return withoutTries(before) === withoutTries(after);
}

/** The receipt of a job's beginning; none where the card was only looked at, because the next look finds the same. */
export async function receiptOfStart(context: JobContext, start: StartDecision): Promise<string | undefined> {
  const { caller, request, next, outcome, row, at } = start;
  if (outcome === undefined && teachesNothing(start.known, next.card)) return undefined;
  return sealReceipt(context.vault, {
    version: 1,
    storeGeneration: context.storeGeneration,
    generation: start.generation,
    card: cardOf(start, row, start.cardType),
    state: next.card,
    job: {
      id: start.job,
      requestId: request.requestId,
      requestHash: start.hash,
      station: caller.station,
      operator: caller.operator,
      reader: request.reader,
      account: request.account,
      seq: outcome === undefined ? 1 : 0,
      started: at,
      ended: outcome === undefined ? null : at,
      outcome: outcome ?? null,
      state: withoutBatch(next),
    },
    enabledIn: await readEnabledIn(context.store, next.job.identification),
    commands: [],
  });
}

/** Of a later step. */
export async function receiptOfStep(context: JobContext, step: StepDecision): Promise<string | undefined> {
  const { row, seq, next, outcome } = step;
  if (outcome === undefined && teachesNothing(step.before, next.card)) return undefined;
  const card = await findCard(context.store, row.card);
  if (card === undefined) return undefined;
  return sealReceipt(context.vault, {
    version: 1,
    storeGeneration: context.storeGeneration,
    generation: row.generation,
    card: cardOf(step, card, card.card_type),
    state: next.card,
    job: {
      id: row.id,
      requestId: row.request_id,
      requestHash: row.request_hash,
      station: row.station,
      operator: row.operator,
      reader: row.reader,
      account: row.account,
      seq: outcome === undefined ? seq + 1 : seq,
      started: row.started,
      ended: outcome === undefined ? null : step.at,
      outcome: outcome ?? null,
      state: withoutBatch(next),
    },
    enabledIn: {
      ...(await readEnabledIn(context.store, row.card)),
      ...Object.fromEntries(newlyEnabled(step.before, next.card).map((app) => [app, row.id])),
    },
    commands: packCommands([...(await commandsOf(context.store, row.id)), ...answeredCommands(step)]),
  });
}

/** A job's state for a receipt, without the batch that was out: a job is never continued from a receipt, only recorded. */
function withoutBatch({ job }: JobOnCard): ReceiptContent['job']['state'] {
  return { ...job, sent: [], scratch: {} };
}

function cardOf(
  { next, life, at }: StartDecision | StepDecision,
  row: CardRow | undefined,
  type: string,
): ReceiptContent['card'] {
  return {
    id: next.job.identification,
    type,
    // How firmly stands in the job's own state, which is in the receipt.
    account: next.job.grip === 'none' ? null : next.job.account,
    accountFactor: next.job.grip === 'none' ? null : next.job.accountFactor,
    setAside: reasonOf(life),
    firstSeen: row?.first_seen ?? at,
  };
}

function newlyEnabled(before: CardState, after: CardState): string[] {
  return Object.keys(after.apps).filter(
    (app) => after.apps[app]?.state === 'enabled' && before.apps[app]?.state !== 'enabled',
  );
}

async function commandsOf(db: Queries, job: string): Promise<AnsweredCommand[]> {
  const rows = await listCommands(db, [job]);
  return rows.map(({ seq, step, app, sw, load_file_hash }) => ({
    seq,
    step: stepNameSchema.parse(step),
    app,
    sw,
    loadFileHash: load_file_hash,
  }));
}

/** The commands of a step with what became of them, as the record keeps them. */
export function answeredCommands({
  seq,
  sent,
  fates,
}: Pick<StepDecision, 'seq' | 'sent' | 'fates'>): AnsweredCommand[] {
  return sent.map(({ label, meaning }, position) => ({
    seq,
    step: label.step,
    app: label.app ?? null,
    sw: swText(fates[position] ?? { kind: 'unsent' }),
    loadFileHash: meaning.kind === 'install' ? meaning.loadFileHash : null,
  }));
}
