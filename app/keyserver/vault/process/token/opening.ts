/** Whether opening the token is tried now, after what came of earlier attempts. Pure; token-keeper.ts does the opening. */
import type { VaultError } from '../../error.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * `free`: it is tried. `pausing`: it failed a moment ago, and opening may block for seconds on a network HSM, so it is not tried at
 * every call; `until` on a monotonic clock, in milliseconds. `pin-refused`: the token did not take the PIN, and tokens lock after a
 * few wrong ones, so it is not tried before the PIN's file was written again (`stamp`).
 */
export type Opening =
  | { readonly state: 'free' }
  | {
      readonly state: 'pausing';
      readonly error: VaultError;
      readonly until: number;
      readonly pause: number;
    }
  | { readonly state: 'pin-refused'; readonly error: VaultError; readonly stamp: string };

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
      return now.at < opening.until ? opening.error : undefined;
    case 'pin-refused':
      return now.stamp === opening.stamp ? opening.error : undefined;
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
      return { state: 'pausing', error: failure.error, until: failure.at + pause, pause };
    }
  }
}
