/** Where the card of the command line comes from: an image, or a recorded dialogue. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toHex } from '../../card/bytes.ts';
import { openCardFile, saveCardFile } from '../card-file.ts';
import type { CardDevice } from '../device.ts';
import { openCardFile as openReplay } from '../dialogue/replay-file.ts';
import { NativeCard } from '../native/native-card.ts';
import { VirtualCard } from '../virtual-card.ts';
import type { Options } from './options.ts';
import { describe, orderedCard } from './order.ts';

/** A card that can be put into a reader. */
export interface CardSource {
  /** One sentence without its end, for the terminal and the trace. */
  readonly description: string;
  readonly remarks: readonly string[];
  /** The card, in this process. */
  open(): Promise<CardDevice>;
  /** The file another process opens it from; made in `folder` where it has none. */
  fileIn(folder: string): Promise<string>;
  /** The module that opens the file, if it is no card image. */
  readonly opener?: string;
}

/** The card the command line means. @throws UsageError, OrderError, CardFileError, ReplayFileError, or the file system's error */
export async function cardSource(options: Options): Promise<CardSource> {
  return options.replay === undefined ? await imageSource(options) : await replaySource(options.replay);
}

async function imageSource(options: Options): Promise<CardSource> {
  const { latency } = options;
  const { image, file, remarks } = await orderedCard(options);
  return {
    description: describe(image),
    remarks,
    open: async () => {
      if (file !== undefined) return openCardFile(file, { latency });
      return image.format === 1 ? new VirtualCard(image, { latency }) : new NativeCard(image, { latency });
    },
    fileIn: async (folder) => {
      if (file !== undefined) return file;
      const made = join(folder, 'card.json');
      await saveCardFile(made, image);
      return made;
    },
  };
}

async function replaySource(file: string): Promise<CardSource> {
  const { atr, commands, maskedAnswers } = await openReplay(file);
  const masked =
    maskedAnswers === 0
      ? []
      : [`Bytes of ${maskedAnswers} of the answers are masked and given as 00: no key fits them.`];
  return {
    description: `the dialogue ${file}, ATR ${toHex(atr)}, ${commands} commands`,
    remarks: masked,
    open: () => openReplay(file),
    fileIn: async () => file,
    opener: fileURLToPath(new URL('../dialogue/replay-file.ts', import.meta.url)),
  };
}
