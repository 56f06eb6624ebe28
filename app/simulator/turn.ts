/** One command's view of the card: a copy of what it keeps, and what it forgets without power. */
import type { Channel } from './channel/channel.ts';
import type { CardImage } from './image.ts';
import type { CardTurn } from './powered-card.ts';
import { implicitlySelected } from './registry.ts';

/** A load under way, INSTALL [for load] to the last LOAD; lost with anything else. */
export interface Loading {
  readonly aid: string;
  /** The security domain the load file is for. */
  readonly domain: string;
  /** Load file data block hash to be verified. */
  readonly hash: Uint8Array;
  /** Number of the next block, 0 to 256. */
  nextBlock: number;
  /** All block data so far. */
  received: Uint8Array;
}

/** INITIALIZE UPDATE done, EXTERNAL AUTHENTICATE awaited. */
export interface PendingChannel {
  /** The security domain whose keys were asked for: the selected one, or one above it. */
  readonly provider: string;
  readonly keyVersion: number;
  /** Bytes of cryptogram and of MAC. */
  readonly macLength: number;
  /** Opens the channel; throws a Refusal when cryptogram or MAC are wrong. */
  open(data: Uint8Array, level: number): Channel;
}

/** Commands of a chain, "more commands follow" (GPC 2.3.1 §11.1.5.1). */
interface Chain {
  /** CLA, INS, P1 without its first bit, P2. */
  readonly header: string;
  readonly data: Uint8Array;
}

/** STORE DATA blocks under way. */
export interface Storing {
  /** The application INSTALL [for personalization] named; undefined for the domain itself. */
  readonly target: string | undefined;
  nextBlock: number;
  /** The beginning of a structure that goes on in the next block. */
  rest: Uint8Array;
}

/** Volatile state of the selected FMCOS app. */
export interface FmcosVolatile {
  /** Security state, 0 to F. */
  state: number;
  /** Challenge given by the command just before, 4 or 8 bytes. */
  challenge?: Uint8Array | undefined;
  /** Short id of the file selected by SELECT. */
  file?: number | undefined;
}

/** Everything that dies with power and reset. */
export interface Volatile {
  /** AID of the selected application. */
  selected: string;
  pending?: PendingChannel | undefined;
  channel?: Channel | undefined;
  /** Whose keys the channel is under. */
  keyOwner?: string | undefined;
  /** A session broke by a command without its protection: nothing is answered until it is ended (§10.2.3). */
  aborted: boolean;
  loading?: Loading | undefined;
  chain?: Chain | undefined;
  storing?: Storing | undefined;
  /** GET STATUS entries not given yet, and the request they answer. */
  listing?: { readonly request: string; readonly rest: readonly Uint8Array[] } | undefined;
  fmcos: FmcosVolatile;
}

/** What a handler works on. `image` is a copy, kept when the command ends. */
export type Turn = CardTurn<CardImage, Volatile>;

/** State after power-on or reset. */
export function freshVolatile(image: CardImage): Volatile {
  return { selected: implicitlySelected(image), aborted: false, fmcos: { state: 0 } };
}

/** Ends the secure channel, and everything under way in it; session keys are wiped. */
export function endChannel(volatile: Volatile): void {
  volatile.channel?.end();
  volatile.channel = undefined;
  volatile.keyOwner = undefined;
  volatile.aborted = false;
  volatile.pending = undefined;
  volatile.loading = undefined;
  volatile.chain = undefined;
  volatile.storing = undefined;
}
