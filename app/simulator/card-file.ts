/** A virtual card that lives in a file. */

import { randomUUID } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type CardImage, parseCardImage } from './image.ts';
import type { Latency } from './latency.ts';
import { VirtualCard } from './virtual-card.ts';

/** The file holds no card image; says where and never what, because the rest of it is keys. */
export class CardFileError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'CardFileError';
  }
}

/** How a card file is run. */
export interface CardFileOptions {
  readonly latency?: Latency;
}

/** A card over its file: every committed change is on disk before the answer leaves. */
export class CardFile extends VirtualCard {
  readonly path: string;
  constructor(path: string, image: CardImage, options: CardFileOptions) {
    super(image, { ...options, commit: (changed) => saveCardFile(path, changed) });
    this.path = path;
  }
}

/** Opens a card file. @throws CardFileError when it cannot be read or holds no card image */
export async function openCardFile(path: string, options: CardFileOptions = {}): Promise<CardFile> {
  return new CardFile(path, await readCardFile(path), options);
}

async function readCardFile(path: string): Promise<CardImage> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CardFileError(path, 'cannot be read');
  });
  try {
    return parseCardImage(JSON.parse(text));
  } catch {
    throw new CardFileError(path, 'is not a card image');
  }
}

/**
 * Writes a card image durably: a new file beside it, synced, then put in its place. Mode 0600, for it holds keys.
 * @throws the file system's error; the old file is then whole
 */
export async function saveCardFile(path: string, image: CardImage): Promise<void> {
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
