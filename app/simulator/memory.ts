/**
 * Memory accounting (data sheet "Applications"): a load file takes its components' bytes, an instance 2,048 bytes, and data
 * stored by STORE DATA their own length.
 */
import type { CardImage } from './image.ts';
import { Refusal, SW } from './status-words.ts';
import type { Turn } from './turn.ts';

/** Bytes of non-volatile memory one instance takes. */
export const INSTANCE_BYTES = 2048;

/** Non-volatile bytes taken by what is on the card. */
export function usedMemory({
  packages,
  instances,
  domain,
}: Pick<CardImage, 'packages' | 'instances'> & {
  readonly domain?: Pick<CardImage['domain'], 'data'>;
}): number {
  const files = packages.reduce((sum, { size }) => sum + size, 0);
  const data = instances.reduce(
    (sum, { applet }) => sum + (applet.kind === 'fmcos' ? 0 : bytesOf(applet.data)),
    bytesOf(domain?.data ?? {}),
  );
  return files + instances.length * INSTANCE_BYTES + data;
}

function bytesOf(data: Readonly<Record<string, string>>): number {
  return Object.values(data).reduce((sum, value) => sum + value.length / 2, 0);
}

/** Non-volatile bytes left. */
export function freeMemory(image: CardImage): number {
  return Math.max(0, image.memory.nonVolatile - usedMemory(image));
}

/** @throws Refusal 6A84 when `bytes` do not fit. */
export function requireMemory(turn: Turn, bytes: number): void {
  if (turn.memoryFull || bytes > freeMemory(turn.image)) throw new Refusal(SW.memoryFull);
}
