/**
 * What a card of GlobalPlatform 2.1.1 does not know, because later specifications brought it: whoever tries a tool or a host on such a card
 * must meet the refusals that a real one gives.
 */
import type { CardImage } from '../image.ts';
import { Refusal } from '../status-words.ts';

export function isBefore22({ version }: Pick<CardImage, 'version'>): boolean {
  return version === '2.1.1';
}

/** @throws Refusal `sw` on a card that does not know it yet */
export function requireSince22(image: Pick<CardImage, 'version'>, sw: number): void {
  if (isBefore22(image)) throw new Refusal(sw);
}
