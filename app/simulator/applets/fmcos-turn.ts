import type { FmcosState } from '../image.ts';
import type { FmcosVolatile } from '../turn.ts';

/** One command to an FMCOS app. `state` is a copy kept when the command ends. */
export interface FmcosTurn {
  readonly state: FmcosState;
  readonly volatile: FmcosVolatile;
  /** Challenge of the command just before; already taken out of `volatile`. */
  readonly challenge: Uint8Array | undefined;
  readonly random: (length: number) => Uint8Array;
  /** Tells what `state` becomes when power goes in the middle of a write that is not atomic. */
  readonly onTear: (damage: (state: FmcosState) => void) => void;
}
