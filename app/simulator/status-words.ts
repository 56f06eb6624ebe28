/** Status words the virtual card gives, and the way a handler refuses a command with one. */
import type { ResponseApdu } from '../card/apdu.ts';

/** ISO/IEC 7816-4 §5.6, GPC 2.3.1 §11.1.3, and the FMCOS dialect's own. */
export const SW = {
  ok: 0x9000,
  moreData: 0x6310,
  authenticationFailed: 0x6300,
  keyCheckError: 0x6283,
  cardLocked: 0x6283,
  memoryFailure: 0x6581,
  wrongLength: 0x6700,
  channelNotSupported: 0x6881,
  securityStatus: 0x6982,
  blocked: 0x6983,
  conditions: 0x6985,
  noCurrentFile: 0x6986,
  macMissing: 0x6987,
  macWrong: 0x6988,
  wrongData: 0x6a80,
  functionNotSupported: 0x6a81,
  notFound: 0x6a82,
  memoryFull: 0x6a84,
  wrongP1P2: 0x6a86,
  referenceNotFound: 0x6a88,
  wrongOffset: 0x6b00,
  unknownIns: 0x6d00,
  wrongCla: 0x6e00,
  internal: 0x6f00,
  fileMacWrong: 0x9302,
  applicationLocked: 0x9303,
  algorithmNotSupported: 0x9484,
  wrongCheckValue: 0x9485,
} as const;

/**
 * Thrown by a handler to answer with a status word and no data. What the handler has changed by then stays changed (that is how a failed
 * attempt is counted), so a handler checks everything before it changes anything else.
 */
export class Refusal extends Error {
  readonly sw: number;
  constructor(sw: number) {
    super(sw.toString(16));
    this.name = 'Refusal';
    this.sw = sw;
  }
}

/** 9000 with data. */
export function ok(data: Uint8Array = new Uint8Array(0)): ResponseApdu {
  return { data, sw: SW.ok };
}
