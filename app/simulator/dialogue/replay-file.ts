/** A recorded dialogue in a file, as a card. */
import { readFile } from 'node:fs/promises';
import { DialogueError } from './dialogue.ts';
import { ReplayCard } from './replay.ts';

/** The file holds no dialogue that can be played. */
export class ReplayFileError extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.name = 'ReplayFileError';
  }
}

/** The card of the dialogue at `path`; named as the rig wants it. @throws ReplayFileError */
export async function openCardFile(path: string): Promise<ReplayCard> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new ReplayFileError(path, 'cannot be read');
  });
  try {
    return ReplayCard.of(text);
  } catch (error) {
    if (error instanceof DialogueError) throw new ReplayFileError(path, error.message);
    throw error;
  }
}
