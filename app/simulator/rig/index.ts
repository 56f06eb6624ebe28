/** The rig: a pcscd of our own with virtual readers and virtual cards, off the machine's network. */
export { type RigAvailability, type RigObstacle, rigAvailability } from './availability.ts';
export type { InsertOptions, RigEvent, RigFault } from './messages.ts';
export { type Rig, RigError, type RigErrorCode, type RigOptions, startRig } from './rig.ts';
