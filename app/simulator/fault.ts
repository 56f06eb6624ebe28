/** Faults a virtual card can be made to have at one command. */
import type { CardDevice } from './device.ts';

/** When power goes: before the card acted, in the middle of its commit, or after it but before the answer. */
export type TearMoment = 'before' | 'during' | 'after';

/** One fault at one command. */
export type Fault =
  | {
      readonly kind: 'power';
      readonly when: TearMoment;
      /** `during` on an atomic write: whether the commit is lost (the default) or kept. */
      readonly commit?: 'lost' | 'kept';
    }
  /** The card finds no memory: LOAD and INSTALL answer 6A84. */
  | { readonly kind: 'memory-full' };

/** A card device that can be told to fail. */
export interface FaultyDevice extends CardDevice {
  /** `transmit` with a fault; rejects with `PowerLost` for `power`, and power is then off. */
  transmitWithFault(command: Uint8Array, fault: Fault | undefined): Promise<Uint8Array>;
}
