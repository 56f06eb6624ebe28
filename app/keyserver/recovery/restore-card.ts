/** What a receipt does to the record: its card as it says, its job, or its keys where later jobs did not get that far. */
import { KaikaError } from '../../protocol/errors.ts';
import type { StepName } from '../../protocol/wire.ts';
import { isDone } from '../audit/entries.ts';
import type { CardState } from '../issuer/card-state.ts';
import { withoutGrants } from '../issuer/released.ts';
import { isNamedOnly } from '../issuer/wanted-grip.ts';
import {
  endBinding,
  findOpenBindings,
  holds,
  insertBinding,
  keepBinding,
  type OpenBinding,
} from '../store/bindings.ts';
import {
  type CardRow,
  ownAccount,
  writeCardType,
  writeGenerations,
  writeSetAside,
} from '../store/card-rows.ts';
import { readCardState, writeCardState } from '../store/cards.ts';
import { commandsSince, insertCommands, lastAnswered } from '../store/commands.ts';
import { noteEnabledIn } from '../store/deeds.ts';
import { readStoreGeneration, restoredAt } from '../store/generation.ts';
import { findJob, insertJob, overwriteJob, readState, supersedeOpenJobs } from '../store/jobs.ts';
import { findLease, releaseCard } from '../store/leases.ts';
import type { Queries } from '../store/store.ts';
import type { JobCommandsTable, JobsTable } from '../store/tables.ts';
import type { ReceiptContent } from './receipt.ts';
import { unpackCommands } from './receipt-commands.ts';
import { rescued, type TouchedSince } from './rescue.ts';

/** The receipt tells more of its job than the record does. */
export function isFurther({ job: { seq, outcome } }: ReceiptContent, job: JobsTable): boolean {
  return job.outcome === null && (seq > job.seq || outcome !== null);
}

/** The card as the receipt, the newest that is known of it, says. */
export async function restoreCard(
  db: Queries,
  content: ReceiptContent,
  row: CardRow,
  now: Date,
): Promise<void> {
  const { card, state, generation, storeGeneration } = content;
  const at = now.toISOString();
  await supersedeOpenJobs(db, card.id, at);
  await releaseCard(db, card.id);
  await writeGenerations(db, card.id, { generation, storeGeneration });
  if (card.type !== row.card_type) await writeCardType(db, card.id, card.type);
  const taken = !(await bindAsItSays(db, content, row, at));
  // Two cards have this account, and so the same keys. Which of them the customer has, the record cannot tell: a person has to decide.
  await writeSetAside(db, card.id, taken ? { code: 'account-given-twice' } : card.setAside);
  const before = await readCardState(db, card.id);
  await writeCardState(db, card.id, before, withoutGrants(state), at, (app) =>
    before.apps[app]?.state === 'enabled' ? undefined : (content.enabledIn[app] ?? null),
  );
}

const KEPT_MILLISECONDS = 24 * 3600_000;

/**
 * Gives the card the receipt's account where it names one, and the card has none of its own. It is only kept for the card where the receipt's
 * job had not come to anything yet. Gives false when another card has it.
 */
async function bindAsItSays(
  db: Queries,
  { card: { id, account, accountFactor: factor }, job }: ReceiptContent,
  row: CardRow,
  at: string,
): Promise<boolean> {
  if (account === null || factor === null || ownAccount(row) !== null) return true;
  // Older versions bound a card with its first command, and said nothing of how firmly.
  const { grip } = job.state;
  // Its station only named the card: an account is not kept for that beyond the minutes of its job.
  if (grip === 'begun') return true;
  const kept = grip === 'written';
  const { own, other } = await findOpenBindings(db, id, factor);
  if (other !== undefined && (kept || other.reservedUntil === null) && !(await givesWay(db, other, at)))
    return false;
  const reserved_until = kept ? new Date(Date.parse(at) + KEPT_MILLISECONDS).toISOString() : null;
  if (other !== undefined) await endBinding(db, other, at);
  if (own?.account === account) return keepBinding(db, id, reserved_until);
  if (own !== undefined) await endBinding(db, own, at);
  await insertBinding(db, { card: id, account, factor, since: job.started, job: job.id, reserved_until });
  return true;
}

/** Whether it keeps nobody's account: it has run out, or a station only named a card since. */
async function givesWay(
  db: Queries,
  binding: Pick<OpenBinding, 'job' | 'reservedUntil'>,
  at: string,
): Promise<boolean> {
  if (!holds(binding, at)) return true;
  const row = binding.job === null ? undefined : await findJob(db, binding.job);
  return binding.reservedUntil !== null && row !== undefined && isNamedOnly(readState(row));
}

/**
 * A receipt from before the restore that is not the newest of its card: what is newer may be a job that came to nothing, and know of no account. The
 * card gets the receipt's unless it has one by now, or people have decided otherwise since the restore.
 */
export async function restoreAccount(
  db: Queries,
  content: ReceiptContent,
  row: CardRow,
  now: Date,
): Promise<boolean> {
  const { grip } = content.job.state;
  const at = now.toISOString();
  if (grip !== 'written' && grip !== 'bound') return false;
  const own = { job: row.kept_by, reservedUntil: row.reserved_until };
  if (row.account !== null && !(await givesWay(db, own, at))) return false;
  if (!(await isFromBefore(db, content, ['forget', 'unbind']))) return false;
  if (await bindAsItSays(db, content, row, at)) return true;
  if (grip !== 'bound' || row.set_aside !== null) return false;
  await writeSetAside(db, row.id, { code: 'account-given-twice' });
  return true;
}

/** Whether the receipt is from before the restore, and people have not decided about its card in one of these ways since. */
async function isFromBefore(
  db: Queries,
  content: ReceiptContent,
  decisions: Parameters<typeof isDone>[2],
): Promise<boolean> {
  const generation = await readStoreGeneration(db);
  if (content.storeGeneration >= generation) return false;
  return !(await isDone(db, content.card.id, decisions, restoredAt(generation)));
}

/** Writes the job as the receipt has it. One without an outcome is ended as superseded: its batch is lost, and the card's next job begins anew. */
export async function restoreJob(
  db: Queries,
  content: ReceiptContent,
  known: JobsTable | undefined,
  now: Date,
): Promise<void> {
  const { job, card, generation } = content;
  const standing = {
    seq: job.seq,
    state: job.state,
    ended: job.ended ?? now.toISOString(),
    outcome: job.outcome,
  };
  if (known === undefined)
    await insertJob(
      db,
      {
        id: job.id,
        request_id: job.requestId,
        request_hash: job.requestHash,
        station: job.station,
        operator: job.operator,
        reader: job.reader,
        card: card.id,
        account: job.account,
        generation,
        started: job.started,
      },
      standing,
    );
  else await overwriteJob(db, job.id, standing);
  const answered = await lastAnswered(db, job.id);
  await insertCommands(
    db,
    commandRows(content).filter(({ seq }) => seq > answered),
  );
}

function commandRows({ job, commands }: ReceiptContent): JobCommandsTable[] {
  const positions = new Map<number, number>();
  return unpackCommands(commands).map(({ seq, step, app, sw, loadFileHash }) => {
    const position = positions.get(seq) ?? 0;
    positions.set(seq, position + 1);
    return { job: job.id, seq, position, step, app, sw, load_file_hash: loadFileHash };
  });
}

/**
 * A card that came before its receipt: the receipt says which keys it really has, as far as no job since has been let in with others. Gives
 * false when there is nothing to put right.
 * @throws KaikaError `server-busy` while a station has the card in hand
 */
export async function helpCard(
  db: Queries,
  content: ReceiptContent,
  row: CardRow,
  now: Date,
): Promise<boolean> {
  if (content.storeGeneration >= Number(row.store_generation)) return false;
  if (!(await isFromBefore(db, content, ['forget']))) return false;
  const isOtherType = content.card.type !== row.card_type;
  // Somebody has told another type since. In the receipt's job the card had shown itself as what it is, or that is told, too.
  if (isOtherType && !content.job.state.held) return false;
  const before: CardState = await readCardState(db, row.id);
  const after = rescued(before, withoutGrants(content.state), await touchedSince(db, content));
  if (after === before) return false;
  const at = now.toISOString();
  const lease = await findLease(db, row.id);
  if (lease !== undefined && lease.expires > at)
    throw new KaikaError('server-busy', 'a station has the card of a receipt in hand');
  // Its lease has run out. Its job was decided without what the receipt says of the card's keys, so it is ended: a late answer must not
  // write what it believes over what the receipt knows.
  if (lease !== undefined) {
    await supersedeOpenJobs(db, row.id, at);
    await releaseCard(db, row.id);
  }
  if (isOtherType) await writeCardType(db, row.id, content.card.type);
  await writeCardState(db, row.id, before, after, at);
  const helped = Object.keys(after.apps).filter((app) => after.apps[app] !== before.apps[app]);
  // What the receipt's job only said it enabled is nobody's deed.
  const known = helped.filter((app) => after.apps[app]?.kept === undefined);
  for (const app of known) await noteEnabledIn(db, row.id, app, content.enabledIn[app] ?? null);
  return true;
}

const LETS_IN: readonly StepName[] = ['authenticate', 'install-app', 'delete-app'];
/** Status words behind which the card may have done it. */
const MAY_BE_DONE = ['9000', 'none', 'lost', 'unproven'];

const isChannel = ({ step }: { readonly step: string }) => step === 'authenticate-secure-channel';

/** What jobs of this card that began after the receipt's may have been let into by the card. */
async function touchedSince(db: Queries, { card, job }: ReceiptContent): Promise<TouchedSince> {
  const rows = await commandsSince(db, card.id, job, {
    steps: [...LETS_IN, 'authenticate-secure-channel'],
    sws: MAY_BE_DONE,
  });
  const shown = rows.filter((row) => readState(row).held);
  return {
    apps: new Set(rows.flatMap(({ app }) => app ?? [])),
    shown: new Set(shown.flatMap(({ app }) => app ?? [])),
    domain: shown.some(isChannel) ? 'shown' : rows.some(isChannel) ? 'told' : 'no',
  };
}
