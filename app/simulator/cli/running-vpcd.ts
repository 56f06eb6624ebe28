/** A card in a reader of a vpcd that runs already. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CardDevice } from '../device.ts';
import { ReplayError } from '../dialogue/replay.ts';
import { type InsertedCard, insertCard, type RemovalReason } from '../vpcd.ts';
import { dialogueLeft, type Place, PlaceError, stopped, traced } from './place.ts';

const RETRY_MS = 500;

/**
 * Puts the card in, and in again whenever the service comes back, until it is to stop.
 * @throws PlaceError when nothing listens at first, or what listens is no vpcd
 */
export async function inRunningVpcd(place: Place): Promise<void> {
  const { options, say, stop } = place;
  const device = traced(await place.card.open(), place);
  const { port } = options;
  let inserted: InsertedCard | undefined = await insertCard({ port, device }).catch((error: unknown) => {
    throw new PlaceError(
      isRefused(error)
        ? `Nothing listens on port ${port}: start pcscd with vpcd, or say --pcscd.`
        : `vpcd cannot be reached on port ${port}.`,
    );
  });
  while (inserted !== undefined && !stop.aborted) {
    const gone = Promise.race([removed(inserted), stopped(stop)]);
    const isNoticed = await Promise.race([inserted.noticed.then(() => true), gone.then(() => false)]);
    if (isNoticed) say(`The card is in the reader on port ${port}; Ctrl-C takes it out.`);
    const removal = await gone;
    if (removal === undefined) break;
    if (removal.cause instanceof ReplayError) throw dialogueLeft(removal.cause.message);
    if (removal.reason !== 'service')
      throw new PlaceError(`What listens on port ${port} does not speak as vpcd does.`);
    say('The smart card service has gone; the card waits for it to come back.');
    inserted = await again({ port, device }, stop);
  }
  await inserted?.remove();
}

interface Removal {
  readonly reason: RemovalReason;
  readonly cause: unknown;
}

function removed(card: InsertedCard): Promise<Removal> {
  return new Promise((resolve) => card.onRemoved((reason, cause) => resolve({ reason, cause })));
}

/** The card in the reader again, as soon as there is one; undefined when it is to stop. */
async function again(
  where: { readonly port: number; readonly device: CardDevice },
  stop: AbortSignal,
): Promise<InsertedCard | undefined> {
  while (!stop.aborted) {
    await sleep(RETRY_MS, undefined, { signal: stop }).catch(() => undefined);
    const inserted = stop.aborted ? undefined : await insertCard(where).catch(() => undefined);
    if (inserted !== undefined) return inserted;
  }
  return undefined;
}

function isRefused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED';
}
