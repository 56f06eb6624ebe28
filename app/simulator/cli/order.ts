/** Which card the command line means: one kept in a file, or a new one. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { toHex } from '../../card/bytes.ts';
import { type AnyImage, readCardFile, saveCardFile } from '../card-file.ts';
import { freeMemory } from '../memory.ts';
import { PROFILES } from '../profiles.ts';
import { makeShopCard } from '../shop.ts';
import type { Options } from './options.ts';
import { UsageError } from './values.ts';

/** The card, and what there is to say about it. */
interface OrderedCard {
  readonly image: AnyImage;
  /** The file it is kept in. */
  readonly file?: string;
  readonly remarks: readonly string[];
}

/**
 * The card in `--state`, which must be the one the other options describe; otherwise a new one, kept there.
 * @throws UsageError, OrderError, CardFileError, or the file system's error
 */
export async function orderedCard(options: Options): Promise<OrderedCard> {
  const { state, profile } = options;
  if (state !== undefined && existsSync(state)) {
    const image = await readCardFile(state);
    requireSame(state, image, options);
    const { keys, keyVersion, memory, failureLimit } = options;
    const isForNew = [keys, keyVersion, memory, failureLimit].some((value) => value !== undefined);
    const remarks = isForNew
      ? [`${state} holds a card: keys, memory and tries of the command line are for new ones.`]
      : [];
    return { image, file: state, remarks };
  }
  if (profile === undefined)
    throw new UsageError(`Say which card: --profile NAME, one of ${Object.keys(PROFILES).join(', ')}.`);
  const { scp, i, keyVersion, keys, atr, memory, failureLimit, code } = options;
  const image = makeShopCard({
    profile,
    identificationCode: code ?? freshCode(),
    ...(scp === undefined ? {} : { scp }),
    ...(i === undefined ? {} : { i }),
    ...(keyVersion === undefined ? {} : { keyVersion }),
    ...(keys === undefined ? {} : { keys }),
    ...(atr === undefined ? {} : { atr }),
    ...(memory === undefined ? {} : { memory }),
    ...(failureLimit === undefined ? {} : { failureLimit }),
  });
  if (state === undefined) return { image, remarks: [] };
  await saveCardFile(state, image);
  return { image, file: state, remarks: [] };
}

/** What cannot change in a card's life must be as asked for. */
function requireSame(state: string, image: AnyImage, options: Options): void {
  const { profile, atr, code } = options;
  const differs = (what: string) =>
    new UsageError(`${state} holds a card with ${what}: delete the file to make another.`);
  if (profile !== undefined && profile !== image.type)
    throw new UsageError(`${state} holds a ${image.type} card: delete the file to make a ${profile} one.`);
  if (atr !== undefined && atr !== image.atr) throw differs('another ATR');
  if (code !== undefined && code !== image.identificationCode) throw differs('another identification code');
  if (image.format !== 1) {
    if (options.scp !== undefined || options.i !== undefined) throw differs('no secure channel');
    return;
  }
  const { scp, i } = image.domain.protocol;
  if ((options.scp ?? scp) !== scp || (options.i ?? i) !== i)
    throw differs(`SCP${scp} i=${toHex(Uint8Array.of(i))}`);
}

/** One sentence on a card, for the terminal and the trace. */
export function describe(image: AnyImage): string {
  if (image.format !== 1) return `${image.type}, ATR ${image.atr}, no GlobalPlatform`;
  const { scp, i } = image.domain.protocol;
  const versions = image.domain.keySets.map(({ version }) => toHex(Uint8Array.of(version))).join(' and ');
  const option = toHex(Uint8Array.of(i));
  return `${image.type}, ATR ${image.atr}, SCP${scp} i=${option}, key version ${versions}, ${freeMemory(image)} bytes free`;
}

/** A new identification code: 62 and 14 random digits, so that two cards made on one desk are not taken for one. */
function freshCode(): string {
  return `62${Array.from(randomBytes(14), (byte) => String(byte % 10)).join('')}`;
}
