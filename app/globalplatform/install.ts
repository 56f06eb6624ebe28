/** INSTALL, for load and for install and make selectable, and the parameters it carries (GPC 2.3.1 §11.5), before a secure channel protects it. */
import { type Aid, aidBytes } from '../card/aid.ts';
import type { CommandApdu } from '../card/apdu.ts';
import { concat } from '../card/bytes.ts';
import { lengthBytes, writeTlv } from '../card/tlv.ts';

const NONE = new Uint8Array(0);

/** P1 (table 11-42). */
const FOR = {
  load: 0x02,
  install: 0x04,
  makeSelectable: 0x08,
} as const;

/** What INSTALL [for load] declares. */
interface LoadRequest {
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
    FOR.load,
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
interface InstallRequest {
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
  return installation(FOR.install | FOR.makeSelectable, request);
}

function installation(p1: number, request: InstallRequest): CommandApdu {
  return install(
    p1,
    short(aidBytes(request.packageAid)),
    short(aidBytes(request.moduleAid)),
    short(aidBytes(request.instanceAid)),
    short(checkedPrivileges(request.privileges)),
    long(concat(writeTlv(0xc9, request.applicationParameters ?? NONE), systemParameters(request.memory))),
    long(NONE),
  );
}

function checkedPrivileges(privileges: Uint8Array = Uint8Array.of(0x00)): Uint8Array {
  if (privileges.length !== 1 && privileges.length !== 3)
    throw new RangeError('privileges of another length than 1 or 3');
  return privileges;
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
