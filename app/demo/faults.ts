/** Faults that `--fault NAME` plays, for seeing the messages and for tests. */

/** Each name with what it does. `card-pulled` takes the number of the told step: `card-pulled:5`. */
export const FAULTS = {
  'card-pulled': 'the card is pulled out at a step (card-pulled:5) and put back two seconds later',
  'server-away': 'the key server does not answer',
  'certificate-refused': 'the key server refuses this station’s certificate',
  'server-not-trusted': 'what answers is not our key server',
  'wrong-clock': 'this machine’s clock is a year behind the certificates',
  'hsm-away': 'the key server’s HSM is gone',
  'card-full': 'there is no room on the card for the missing app',
  'service-missing': 'the smart card service is not running',
  'no-reader': 'no reader is plugged in',
  'no-card': 'no card is in the reader',
  'unknown-card': 'a card of a type nobody knows',
  'wrong-card-type': 'a card that contradicts its type',
  'app-not-in-catalogue': 'an app is asked for that nobody offers',
  'purse-not-empty': 'the purse to be deleted still holds money',
} as const;

export type FaultName = keyof typeof FAULTS;

export interface Fault {
  readonly name: FaultName;
  /** `card-pulled` only: at which told step, counted from 1. */
  readonly step: number;
}

/** Reads `NAME` or `NAME:N`; undefined when there is no such fault. */
export function parseFault(text: string): Fault | undefined {
  const match = /^([a-z-]+)(?::([1-9][0-9]{0,2}))?$/.exec(text);
  const name = match?.[1];
  if (name === undefined || !isFault(name)) return undefined;
  if (match?.[2] !== undefined && name !== 'card-pulled') return undefined;
  return { name, step: Number(match?.[2] ?? '5') };
}

function isFault(name: string): name is FaultName {
  return Object.hasOwn(FAULTS, name);
}
