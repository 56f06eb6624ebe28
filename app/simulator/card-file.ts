/** A virtual card that lives in a file. */

import { randomUUID } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type CardImage, cardImageSchema } from './image.ts';
import type { Latency } from './latency.ts';
import { NativeCard } from './native/native-card.ts';
import { type NativeImage, nativeImageSchema } from './native/native-image.ts';
import { VirtualCard } from './virtual-card.ts';

/** The file holds no card image; says where and never what, because the rest of it is keys. */
export class CardFileError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'CardFileError';
  }
}

/** How a card file is run. */
interface CardFileOptions {
  readonly latency?: Latency;
}

/** Image of a card that follows GlobalPlatform, or of one without. */
export type AnyImage = CardImage | NativeImage;

/** A card over its file: every committed change is on disk before the answer leaves. */
class CardFile extends VirtualCard {
  readonly path: string;
  constructor(path: string, image: CardImage, options: CardFileOptions) {
    super(image, { ...options, commit: (changed) => saveCardFile(path, changed) });
    this.path = path;
  }
}

/** The same of a native card. */
class NativeCardFile extends NativeCard {
  readonly path: string;
  constructor(path: string, image: NativeImage, options: CardFileOptions) {
    super(image, { ...options, commit: (changed) => saveCardFile(path, changed) });
    this.path = path;
  }
}

/** Opens a card file. @throws CardFileError when it cannot be read or holds no card image */
export async function openCardFile(
  path: string,
  options: CardFileOptions = {},
): Promise<CardFile | NativeCardFile> {
  const image = await readCardFile(path);
  return image.format === 1 ? new CardFile(path, image, options) : new NativeCardFile(path, image, options);
}

/** The image in a card file. @throws CardFileError */
export async function readCardFile(path: string): Promise<AnyImage> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CardFileError(path, 'cannot be read');
  });
  try {
    const value: unknown = JSON.parse(text);
    const native = nativeImageSchema.safeParse(value);
    return native.success ? native.data : cardImageSchema.parse(value);
  } catch {
    throw new CardFileError(path, 'is not a card image');
  }
}

/**
 * Writes a card image durably: a new file beside it, synced, then put in its place. Mode 0600, for it holds keys.
 * @throws the file system's error; the old file is then whole
 */
export async function saveCardFile(path: string, image: AnyImage): Promise<void> {
  const next = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(image, null, 1)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
  } catch (error) {
    await unlink(next).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the new name itself durable; Windows cannot open a folder, and does without. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
