/** What SCardTransmit wants to be given for a command APDU, by protocol. Pure. */
import { SCARD_PROTOCOL_T0 } from './codes.ts';

const HEADER = 4;

/**
 * T=1 takes the APDU as it is. T=0 takes a TPDU (ISO/IEC 7816-3 §12.2): case 1 gets P3 = 00, short case 4 goes
 * without its Le, the answer waits for GET RESPONSE (61xx, the caller's). Extended commands are left alone, for
 * readers that take APDUs in T=0 as well.
 */
export function toTpdu(command: Uint8Array, protocol: number): Uint8Array {
  if (protocol !== SCARD_PROTOCOL_T0) return command;
  if (command.length === HEADER) {
    const tpdu = new Uint8Array(HEADER + 1);
    tpdu.set(command);
    return tpdu;
  }
  const lc = command[HEADER] ?? 0;
  const isShortCase4 = lc > 0 && command.length === HEADER + 1 + lc + 1;
  return isShortCase4 ? command.subarray(0, command.length - 1) : command;
}
