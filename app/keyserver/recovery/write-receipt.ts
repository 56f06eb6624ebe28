/** The receipt that goes with a step: what is true of card and job once it is committed. */
import type { Fate } from '../../dialects/fate.ts';
import { type JobRequest, type Outcome, stepNameSchema } from '../../protocol/wire.ts';
import { swText } from '../issuer/answers.ts';
import type { CardState } from '../issuer/card-state.ts';
import type { JobOnCard } from '../issuer/progress.ts';
import type { Sent } from '../issuer/state.ts';
import type { JobContext, OperatorCaller } from '../jobs/context.ts';
import { findCard, type Queries } from '../store/cards.ts';
import type { CardsTable, JobCommandsTable, JobsTable } from '../store/tables.ts';
import { type ReceiptContent, sealReceipt } from './receipt.ts';

type Command = ReceiptContent['commands'][number];

/** Nothing but tries may have been spent: a step like this needs no receipt of its own. */
function teachesNothing(before: CardState, after: CardState): boolean {
  const withoutTries = (state: CardState) =>
    JSON.stringify(state, (name, value: unknown) => (name === 'spent' ? 0 : value));
  return withoutTries(before) === withoutTries(after);
}

/** Of the job's beginning. */
export async function receiptOfStart(
  context: JobContext,
  start: {
    readonly caller: OperatorCaller;
    readonly request: JobRequest;
    readonly hash: string;
    readonly job: string;
    readonly generation: number;
    readonly row: CardsTable | undefined;
    readonly before: CardState;
    readonly next: JobOnCard;
    readonly outcome: Outcome | undefined;
    readonly cardType: string;
    readonly effect: boolean;
    readonly at: string;
  },
): Promise<string | undefined> {
  const { caller, request, next, outcome, row } = start;
  if (outcome === undefined && teachesNothing(start.before, next.card)) return undefined;
  const { at } = start;
  return sealReceipt(context.vault, {
    version: 1,
    storeGeneration: context.storeGeneration,
    generation: start.generation,
    card: cardOf(next, row, start.effect, start.cardType, at),
    state: next.card,
    job: {
      id: start.job,
      requestId: request.requestId,
      requestHash: start.hash,
      // By name: a caller of whom more is known must not make a receipt that its schema refuses.
      station: caller.station,
      operator: caller.operator,
      reader: request.reader,
      account: request.account,
      seq: outcome === undefined ? 1 : 0,
      started: at,
      ended: outcome === undefined ? null : at,
      outcome: outcome ?? null,
      state: { ...next.job, sent: [], scratch: {} },
    },
    enabledIn: await enabledIn(context.store, next.job.identification),
    commands: [],
  });
}

/** Of a later step. */
export async function receiptOfStep(
  context: JobContext,
  step: {
    readonly row: JobsTable;
    readonly seq: number;
    readonly sent: readonly Sent[];
    readonly fates: readonly Fate[];
    readonly before: CardState;
    readonly next: JobOnCard;
    readonly outcome: Outcome | undefined;
    readonly effect: boolean;
    readonly at: string;
  },
): Promise<string | undefined> {
  const { row, seq, next, outcome } = step;
  if (outcome === undefined && teachesNothing(step.before, next.card)) return undefined;
  const card = await findCard(context.store, row.card);
  if (card === undefined) return undefined;
  return sealReceipt(context.vault, {
    version: 1,
    storeGeneration: context.storeGeneration,
    generation: row.generation,
    card: cardOf(next, card, step.effect, card.card_type, step.at),
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
      state: { ...next.job, sent: [], scratch: {} },
    },
    enabledIn: {
      ...(await enabledIn(context.store, row.card)),
      ...Object.fromEntries(newlyEnabled(step.before, next.card).map((app) => [app, row.id])),
    },
    commands: counted([...(await commandsOf(context.store, row.id)), ...rowsOf(step)]),
  });
}

function cardOf(
  next: JobOnCard,
  row: CardsTable | undefined,
  effect: boolean,
  type: string,
  now: string,
): ReceiptContent['card'] {
  return {
    id: next.job.identification,
    type,
    account: row?.account ?? (effect ? next.job.account : null),
    accountFactor: row?.account_factor ?? (effect ? next.job.accountFactor : null),
    setAside: next.job.setAside ?? row?.set_aside ?? null,
    firstSeen: row?.first_seen ?? now,
  };
}

async function enabledIn(db: Queries, card: string): Promise<Record<string, string>> {
  const rows = await db
    .selectFrom('card_apps')
    .select(['app', 'issued_in'])
    .where('card', '=', card)
    .where('issued_in', 'is not', null)
    .execute();
  return Object.fromEntries(rows.map(({ app, issued_in }) => [app, issued_in ?? '']));
}

function newlyEnabled(before: CardState, after: CardState): string[] {
  return Object.keys(after.apps).filter(
    (app) => after.apps[app]?.state === 'enabled' && before.apps[app]?.state !== 'enabled',
  );
}

async function commandsOf(db: Queries, job: string): Promise<Command[]> {
  const rows = await db
    .selectFrom('job_commands')
    .selectAll()
    .where('job', '=', job)
    .orderBy('seq')
    .orderBy('position')
    .execute();
  return rows.map(asCommand);
}

function asCommand(row: Omit<JobCommandsTable, 'job' | 'position'>): Command {
  return [row.seq, stepNameSchema.parse(row.step), row.app, row.sw, 1, row.load_file_hash];
}

function counted(commands: readonly Command[]): Command[] {
  const told: Command[] = [];
  for (const command of commands) {
    const last = told.at(-1);
    const same = last !== undefined && [0, 1, 2, 3, 5].every((at) => last[at] === command[at]);
    if (same) last[4] += 1;
    else told.push([...command]);
  }
  return told;
}

/** The commands of a step with what became of them, as the record keeps them. */
export function rowsOf(step: {
  readonly seq: number;
  readonly sent: readonly Sent[];
  readonly fates: readonly Fate[];
}): Command[] {
  return step.sent.map((sent, position) => [
    step.seq,
    sent.label.step,
    sent.label.app ?? null,
    swText(step.fates[position] ?? { kind: 'unsent' }),
    1,
    sent.meaning.kind === 'install' ? sent.meaning.loadFileHash : null,
  ]);
}
