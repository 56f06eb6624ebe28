/** How long a virtual card takes. */

/** `realistic` is the reference rig: 35 ms an APDU, 48 ms a LOAD block. Own figures in milliseconds. */
export type Latency = 'none' | 'realistic' | { readonly apdu: number; readonly load: number };

const REALISTIC = { apdu: 35, load: 48 } as const;

/** Milliseconds one command takes. */
export function latencyOf(latency: Latency, isLoad: boolean): number {
  if (latency === 'none') return 0;
  const { apdu, load } = latency === 'realistic' ? REALISTIC : latency;
  return isLoad ? load : apdu;
}
