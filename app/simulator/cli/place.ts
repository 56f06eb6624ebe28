/** Where a card is put: what both places have in common. */
import type { CardDevice } from '../device.ts';
import { tracedToFile } from '../dialogue/trace-file.ts';
import type { Options } from './options.ts';
import type { CardSource } from './source.ts';

/** A card to be put somewhere until `stop`. */
export interface Place {
  readonly card: CardSource;
  readonly options: Options;
  readonly say: (line: string) => void;
  readonly stop: AbortSignal;
}

/** The card cannot be put there, in a sentence. */
export class PlaceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PlaceError';
  }
}

/** What stands at the beginning of a trace. */
export function traceRemark({ card }: Pick<Place, 'card'>): string {
  return `${card.description}; ${new Date().toISOString()}`;
}

/** The device, written down where that was asked for. */
export function traced(device: CardDevice, place: Pick<Place, 'card' | 'options'>): CardDevice {
  const { trace, traceFull } = place.options;
  if (trace === undefined) return device;
  return tracedToFile(device, { path: trace, full: traceFull, remarks: [traceRemark(place)] });
}

/** A recorded dialogue was not followed. */
export function dialogueLeft(reason: string): PlaceError {
  return new PlaceError(`The dialogue was left: ${reason}.`);
}

/** Resolves when the card is to be taken out. */
export function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
}
