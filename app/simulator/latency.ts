/** How long a virtual card takes. */

/** `realistic` is the reference rig: 35 ms an APDU, 48 ms a LOAD block. Own figures in milliseconds. */
export type Latency = 'none' | 'realistic' | { readonly apdu: number; readonly load: number };

const REALISTIC = { apdu: 35, load: 48 } as const;
const INS_LOAD = 0xe8;
/** GET RESPONSE, and a command repeated with the length that 6Cxx named: the card has the answer ready and only sends it. */
const FETCH_MS = 5;

/** Milliseconds one command takes; `fetched`: its answer was ready. */
export function latencyOf(latency: Latency, command: Uint8Array, fetched = false): number {
  if (latency === 'none') return 0;
  const { apdu, load } = latency === 'realistic' ? REALISTIC : latency;
  if (fetched) return Math.min(FETCH_MS, apdu);
  return command[1] === INS_LOAD ? load : apdu;
}
