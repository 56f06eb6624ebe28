/** One command's view of the card: a copy of what it keeps, and what it forgets without power. */
import type { Channel } from './channel/channel.ts';
import type { CardImage } from './image.ts';

/** A load under way, INSTALL [for load] to the last LOAD; lost with anything else. */
export interface Loading {
  readonly aid: string;
  /** Number of the next block, 0 to 256. */
  nextBlock: number;
  /** All block data so far. */
  received: Uint8Array;
}

/** INITIALIZE UPDATE done, EXTERNAL AUTHENTICATE awaited. */
export interface PendingChannel {
  readonly keyVersion: number;
  /** Opens the channel; throws a Refusal when cryptogram or MAC are wrong. */
  open(data: Uint8Array, level: number): Channel;
}

/** Volatile state of the selected FMCOS app. */
export interface FmcosVolatile {
  /** Security state, 0 to F. */
  state: number;
  /** Challenge given by the command just before, 4 or 8 bytes. */
  challenge?: Uint8Array | undefined;
}

/** Everything that dies with power and reset. */
export interface Volatile {
  /** AID of the selected application. */
  selected: string;
  pending?: PendingChannel | undefined;
  channel?: Channel | undefined;
  loading?: Loading | undefined;
  /** GET STATUS entries not given yet, and the request they answer. */
  listing?: { readonly request: string; readonly rest: readonly Uint8Array[] } | undefined;
  fmcos: FmcosVolatile;
}

/** What a handler works on. `image` is a copy, kept when the command ends. */
export interface Turn {
  readonly image: CardImage;
  readonly volatile: Volatile;
  readonly random: (length: number) => Uint8Array;
  /** Fault injection: behave as if no memory were left. */
  readonly memoryFull: boolean;
  /** Set by a write that is not atomic: what it leaves when power goes in its middle. */
  tear?: ((image: CardImage) => void) | undefined;
}

/** State after power-on or reset: the issuer security domain is selected (GPC 2.3.1 §6.4.1.1). */
export function freshVolatile(image: CardImage): Volatile {
  return { selected: image.domain.aid, fmcos: { state: 0 } };
}

/** Ends the secure channel, and a load with it; session keys are wiped. */
export function endChannel(volatile: Volatile): void {
  volatile.channel?.end();
  volatile.channel = undefined;
  volatile.pending = undefined;
  volatile.loading = undefined;
}
