/**
 * POST /v1/receipts: what stations were told before a backup was restored goes back into the record. A receipt is older than
 * anything that happened to its card since the restore, and then only adds its job to the record; otherwise it is the newest that is known of
 * the card. Either way the server believes nothing but what it sealed itself.
 */
import { KaikaError } from '../../protocol/errors.ts';
import type { ReceiptsReply } from '../../protocol/receipts.ts';
import { API_LEVEL } from '../../protocol/wire.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Limits } from '../limits.ts';
import { type CardRow, holdOrInsertCard } from '../store/card-rows.ts';
import { addCount, periodOf } from '../store/counters.ts';
import { findJob, findJobByRequest } from '../store/jobs.ts';
import type { Queries, Store } from '../store/store.ts';
import type { JobsTable } from '../store/tables.ts';
import { inTransaction, together } from '../store/transaction.ts';
import { Overtaken, untilNotOvertaken } from '../store/turns.ts';
import type { Vault } from '../vault/vault.ts';
import { openReceipt, type ReceiptContent } from './receipt.ts';
import { helpCard, isFurther, restoreAccount, restoreCard, restoreJob } from './restore-card.ts';

/** What taking receipts needs of the server. */
interface ReceiptPorts {
  readonly store: Store;
  readonly vault: Pick<Vault, 'unseal'>;
  readonly now: () => Date;
  readonly limits: Pick<Limits, 'receiptsPerStationHour'>;
}

/** `taken`: something was learned. `known`: nothing was. `refused`: it is no receipt of ours for this station. */
type Found = 'taken' | 'known' | 'refused';

/** @throws KaikaError `too-many-attempts`; VaultError when the HSM is away: what was taken so far stays, and all may be sent again */
export async function takeReceipts(
  ports: ReceiptPorts,
  caller: { readonly station: string },
  receipts: readonly string[],
): Promise<ReceiptsReply> {
  await countReceipts(ports, caller.station, receipts.length);
  const count: Record<Found, number> = { taken: 0, known: 0, refused: 0 };
  for (const receipt of receipts) count[await takeOne(ports, caller.station, receipt)] += 1;
  return { apiLevel: API_LEVEL, ...count };
}

/** Each costs a call to the HSM, so a station may not send them without end. */
async function countReceipts(ports: ReceiptPorts, station: string, by: number): Promise<void> {
  const counted = {
    scope: 'receipts-per-station-hour',
    subject: station,
    period: periodOf(ports.now(), 'hour'),
  };
  const sent = await together(ports.store, (db) => addCount(db, counted, by));
  if (sent > ports.limits.receiptsPerStationHour)
    throw new KaikaError('too-many-attempts', 'this station has sent as many receipts as it may');
}

async function takeOne(ports: ReceiptPorts, station: string, receipt: string): Promise<Found> {
  const content = await openReceipt(ports.vault, receipt);
  // Stations keep only their own receipts. A receipt of another station's job was taken from that station, and is not believed.
  if (content === undefined || content.job.station !== station) return 'refused';
  return untilNotOvertaken(() =>
    inTransaction(
      ports.store,
      (db) => take(db, content, ports.now()),
      () => new Overtaken(),
    ),
  );
}

async function take(db: Queries, content: ReceiptContent, now: Date): Promise<Found> {
  const { card } = content;
  // Written before anything is read, as every transaction of a job does. A card that is not there begins as never worked on.
  const row = await holdOrInsertCard(db, {
    id: card.id,
    card_type: card.type,
    generation: 0,
    first_seen: card.firstSeen,
    store_generation: '0',
  });
  const job = await findJob(db, content.job.id);
  const sameRequest = job ?? (await findJobByRequest(db, content.job.requestId));
  if (sameRequest !== undefined && sameRequest.id !== content.job.id) return 'refused';
  const newest = isNewest(content, row, job);
  if (newest) await restoreCard(db, content, row, now);
  const news = job === undefined || isFurther(content, job);
  if (news) await restoreJob(db, content, job, now);
  const bound = !newest && (await restoreAccount(db, content, row, now));
  const helped = !newest && (await helpCard(db, content, row, now));
  if (!newest && !news && !helped && !bound) return 'known';
  const { id, station, operator } = content.job;
  const detail = {
    generation: content.generation,
    card: newest ? 'restored' : helped || bound ? 'helped' : 'kept',
  };
  await writeAudit(db, { kind: 'receipt', card: row.id, job: id, station, operator, detail }, now);
  return 'taken';
}

/** Generations of the store follow each other in time; within one, those of the card; within a job, its steps. */
function isNewest(content: ReceiptContent, row: CardRow, job: JobsTable | undefined): boolean {
  const stored = Number(row.store_generation);
  if (content.storeGeneration !== stored) return content.storeGeneration > stored;
  if (content.generation !== row.generation) return content.generation > row.generation;
  return job !== undefined && isFurther(content, job);
}
