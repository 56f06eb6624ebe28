/** Whether opening the token is tried now, after what came of earlier attempts. Pure; token-keeper.ts does the opening. */
import type { VaultError } from '../../error.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * `free`: it is tried. `pausing`: it failed a moment ago, and opening may block for seconds on a network HSM, so it is not tried at
 * every call; `until` on a monotonic clock, in milliseconds. `pin-refused`: the token did not take the PIN, and tokens lock after a
 * few wrong ones, so it is not tried before the PIN's file was written again (`stamp`). A pause remembers the stamp that was refused
 * (`refused`), so that a token or a file which is away for a moment does not make the server spend another try on the same PIN.
 */
export type Opening =
  | { readonly state: 'free' }
  | {
      readonly state: 'pausing';
      readonly error: VaultError;
      readonly until: number;
      readonly pause: number;
      readonly refused: Refused | undefined;
    }
  | ({ readonly state: 'pin-refused' } & Refused);

/** A PIN that the token did not take, by the stamp of its file, and what was said of it. */
interface Refused {
  readonly error: VaultError;
  readonly stamp: string;
}

/** How an attempt failed. `stamp`: of the PIN that was tried. */
export type OpeningFailure =
  | { readonly kind: 'away'; readonly error: VaultError; readonly at: number }
  | { readonly kind: 'pin-refused'; readonly error: VaultError; readonly stamp: string };

/** Why opening is not tried; undefined when it is. */
export function obstacle(
  opening: Opening,
  now: { readonly at: number; readonly stamp: string },
): VaultError | undefined {
  switch (opening.state) {
    case 'free':
      return undefined;
    case 'pausing':
      return now.at < opening.until ? opening.error : refusedBefore(opening.refused, now.stamp);
    case 'pin-refused':
      return refusedBefore(opening, now.stamp);
  }
}

function refusedBefore(refused: Refused | undefined, stamp: string): VaultError | undefined {
  return refused?.stamp === stamp ? refused.error : undefined;
}

/** The PIN that must not be tried again. */
function refusedOf(opening: Opening): Refused | undefined {
  switch (opening.state) {
    case 'free':
      return undefined;
    case 'pausing':
      return opening.refused;
    case 'pin-refused':
      return { error: opening.error, stamp: opening.stamp };
  }
}

/** The state after a failed attempt: pauses double as long as the token stays away. */
export function afterFailure(opening: Opening, failure: OpeningFailure): Opening {
  switch (failure.kind) {
    case 'pin-refused':
      return { state: 'pin-refused', error: failure.error, stamp: failure.stamp };
    case 'away': {
      const pause =
        opening.state === 'pausing' ? Math.min(opening.pause * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      return {
        state: 'pausing',
        error: failure.error,
        until: failure.at + pause,
        pause,
        refused: refusedOf(opening),
      };
    }
  }
}
