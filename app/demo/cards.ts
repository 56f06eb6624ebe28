/** The demo's card factory: fresh virtual cards, and cards that are kept in a file. */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { saveCardFile } from '../simulator/card-file.ts';
import { type CardSpec, makeCard } from '../simulator/factory.ts';
import { type DemoType, readDelivery } from './delivery.ts';
import type { FaultName } from './faults.ts';
import type { SitePaths } from './site.ts';

/** A card of no type: historical bytes nobody knows. */
const UNKNOWN_ATR = '3B8501584F584F58DC';

interface DemoCard {
  readonly file: string;
  /** Made for this run only. */
  readonly fresh: boolean;
}

/** The card of a run: `keep` names a file to keep it in, made when it is not there. */
export async function demoCard(
  paths: Pick<SitePaths, 'cards' | 'delivery'>,
  type: DemoType,
  keep?: string,
  fault?: FaultName,
): Promise<DemoCard> {
  if (keep !== undefined && existsSync(keep)) return { file: keptFile(keep, fault), fresh: false };
  if (keep !== undefined && !existsSync(dirname(resolve(keep)))) {
    throw new Error(`--card ${keep}: there is no such folder.`);
  }
  const identificationCode = randomDigits(16);
  const file = resolve(keep ?? join(paths.cards, `${identificationCode}.json`));
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const image = makeCard({ type, identificationCode, ...specFor(fault) }, readDelivery(paths.delivery)[type]);
  await saveCardFile(file, fault === 'unknown-card' ? { ...image, atr: UNKNOWN_ATR } : image);
  return { file, fresh: keep === undefined };
}

/**
 * The card file itself, not a link to it: it is replaced at every change, and a link would become a second card.
 * @throws Error in a sentence when it cannot be written, because a card that forgets looks like one with wrong keys
 */
function keptFile(keep: string, fault: FaultName | undefined): string {
  if (fault !== undefined && MADE_WITH_THE_CARD.has(fault)) {
    throw new Error(
      `--fault ${fault} needs a card made for it: leave --card out, or name a file that is not there yet.`,
    );
  }
  const file = realpathSync(keep);
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    accessSync(dirname(file), constants.W_OK);
  } catch {
    throw new Error(
      `--card ${keep}: the file and its folder must be writable, for the card keeps its state there.`,
    );
  }
  return file;
}

/** Faults that are in the card from its making. */
const MADE_WITH_THE_CARD: ReadonlySet<FaultName> = new Set([
  'card-full',
  'purse-not-empty',
  'wrong-card-type',
  'unknown-card',
]);

function specFor(fault: FaultName | undefined): Partial<CardSpec> {
  switch (fault) {
    case 'card-full':
      return { memory: 9_000 };
    case 'purse-not-empty':
      return { balances: { transit: 1_250 } };
    case 'wrong-card-type':
      return { protocolOption: 0x60 };
    default:
      return {};
  }
}

/** Decimal digits that do not begin with 0. */
export function randomDigits(count: number): string {
  return Array.from(randomBytes(count), (byte, i) => String(i === 0 ? 1 + (byte % 9) : byte % 10)).join('');
}
