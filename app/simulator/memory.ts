/** Memory accounting (data sheet "Applications"): a load file takes its components' bytes, an instance 2,048. */
import type { CardImage } from './image.ts';
import { Refusal, SW } from './status-words.ts';
import type { Turn } from './turn.ts';

/** Bytes of non-volatile memory one instance takes. */
export const INSTANCE_BYTES = 2048;

/** Non-volatile bytes taken by what is on the card. */
export function usedMemory(image: Pick<CardImage, 'packages' | 'instances'>): number {
  const files = image.packages.reduce((sum, { size }) => sum + size, 0);
  return files + image.instances.length * INSTANCE_BYTES;
}

/** Non-volatile bytes left. */
export function freeMemory(image: CardImage): number {
  return Math.max(0, image.memory.nonVolatile - usedMemory(image));
}

/** @throws Refusal 6A84 when `bytes` do not fit. */
export function requireMemory(turn: Turn, bytes: number): void {
  if (turn.memoryFull || bytes > freeMemory(turn.image)) throw new Refusal(SW.memoryFull);
}
