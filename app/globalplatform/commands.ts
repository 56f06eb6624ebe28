/** Content management commands as values (GPC 2.3.1 §11), before a secure channel protects them. */
import { type Aid, aidBytes } from '../card/aid.ts';
import type { CommandApdu } from '../card/apdu.ts';
import { concat } from '../card/bytes.ts';
import { lengthBytes, writeTlv } from '../card/tlv.ts';

const NONE = new Uint8Array(0);

/** SELECT by AID, first occurrence; without an AID the issuer security domain (GPC 2.3.1 §11.9). */
export function select(aid?: Aid): CommandApdu {
  const header = { cla: 0x00, ins: 0xa4, p1: 0x04, p2: 0x00, le: 256 };
  return aid === undefined ? header : { ...header, data: aidBytes(aid) };
}

/** Data objects worth reading from a card; which of them a card has differs. */
export const DATA_OBJECTS = {
  issuerIdentification: 0x0042,
  cardImageNumber: 0x0045,
  cardData: 0x0066,
  sequenceCounter: 0x00c1,
  keyDiversificationData: 0x00cf,
  keyInformation: 0x00e0,
  productionLifeCycle: 0x9f7f,
  extendedCardResources: 0xff21,
} as const;

/** GET DATA of one data object (GPC 2.3.1 §11.3). */
export function getData(tag: number): CommandApdu {
  return { cla: 0x80, ins: 0xca, p1: tag >> 8, p2: tag & 0xff, le: 256 };
}

/** What INSTALL [for load] declares. */
export interface LoadRequest {
  readonly packageAid: Aid;
  /** Security domain the load file is extradited to; the one that is selected when left out. */
  readonly securityDomain?: Aid;
  /** Hash of the load file data block, exactly the bytes that are sent; needed with a DAP or token only. */
  readonly hash?: Uint8Array;
  /** Load parameters, e.g. EF 04 C6 02 xx xx; see `loadParameters`. */
  readonly parameters?: Uint8Array;
}

/** INSTALL [for load] (GPC 2.3.1 §11.5.2.3.1), without a token. */
export function installForLoad(request: LoadRequest): CommandApdu {
  const domain = request.securityDomain === undefined ? NONE : aidBytes(request.securityDomain);
  return install(
    0x02,
    short(aidBytes(request.packageAid)),
    short(domain),
    short(request.hash ?? NONE),
    long(request.parameters ?? NONE),
    long(NONE),
  );
}

/** Load parameters that declare how much non-volatile code memory the card must have free (GPC 2.3.1 table 11-48). */
export function loadParameters(codeBytes: number): Uint8Array {
  return writeTlv(0xef, writeTlv(0xc6, quota(codeBytes)));
}

/** What INSTALL [for install and make selectable] declares. */
export interface InstallRequest {
  readonly packageAid: Aid;
  /** AID of the applet inside the package. */
  readonly moduleAid: Aid;
  readonly instanceAid: Aid;
  /** 1 or 3 bytes; 00 when left out. */
  readonly privileges?: Uint8Array;
  /** Value of the C9 object handed to the applet; empty when left out. */
  readonly applicationParameters?: Uint8Array;
  /** Least memory the instance needs, in bytes: C8 (non-volatile) and C7 (volatile) within EF. */
  readonly memory?: { readonly nonVolatile?: number; readonly volatile?: number };
}

/**
 * INSTALL [for install and make selectable] (GPC 2.3.1 §11.5.2.3.2), without a token.
 * @throws RangeError when the privileges are neither 1 nor 3 bytes.
 */
export function installForInstallAndMakeSelectable(request: InstallRequest): CommandApdu {
  const privileges = request.privileges ?? Uint8Array.of(0x00);
  if (privileges.length !== 1 && privileges.length !== 3)
    throw new RangeError('privileges of another length than 1 or 3');
  return install(
    0x0c,
    short(aidBytes(request.packageAid)),
    short(aidBytes(request.moduleAid)),
    short(aidBytes(request.instanceAid)),
    short(privileges),
    long(concat(writeTlv(0xc9, request.applicationParameters ?? NONE), systemParameters(request.memory))),
    long(NONE),
  );
}

/**
 * DELETE of an instance or of a load file (GPC 2.3.1 §11.2). `related`: also the instances made from the load file (P2 = 80).
 */
export function deleteObject(aid: Aid, related: boolean): CommandApdu {
  return {
    cla: 0x80,
    ins: 0xe4,
    p1: 0x00,
    p2: related ? 0x80 : 0x00,
    data: writeTlv(0x4f, aidBytes(aid)),
    le: 256,
  };
}

function install(p1: number, ...fields: readonly Uint8Array[]): CommandApdu {
  const data = concat(...fields);
  if (data.length > 255) throw new RangeError('INSTALL data longer than 255 bytes');
  return { cla: 0x80, ins: 0xe6, p1, p2: 0x00, data, le: 256 };
}

function systemParameters(memory: InstallRequest['memory']): Uint8Array {
  const quotas: Uint8Array[] = [];
  if (memory?.volatile !== undefined) quotas.push(writeTlv(0xc7, quota(memory.volatile)));
  if (memory?.nonVolatile !== undefined) quotas.push(writeTlv(0xc8, quota(memory.nonVolatile)));
  return quotas.length === 0 ? NONE : writeTlv(0xef, ...quotas);
}

/** A memory need: 2 bytes up to 32,767, else 4 (GPC 2.3.1 §11.5.2.3.7). */
function quota(bytes: number): Uint8Array {
  if (!Number.isInteger(bytes) || bytes < 0 || bytes > 0x7fffffff)
    throw new RangeError('memory outside 0..2^31-1');
  const four = new Uint8Array(4);
  new DataView(four.buffer).setUint32(0, bytes);
  return bytes <= 0x7fff ? four.slice(2) : four;
}

function short(value: Uint8Array): Uint8Array {
  if (value.length > 127) throw new RangeError('INSTALL field longer than 127 bytes');
  return concat(Uint8Array.of(value.length), value);
}

function long(value: Uint8Array): Uint8Array {
  return concat(lengthBytes(value.length), value);
}
