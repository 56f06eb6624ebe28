/**
 * The few PKCS#11 calls that carry secrets, made with our own buffers. pkcs11js takes PINs as JavaScript strings and copies
 * attribute values through memory that it frees without wiping; through koffi the module sees our buffer itself, and the
 * buffer can be wiped. Layouts: PKCS#11 2.40 base, §3; on Windows structures are packed to one byte.
 */
import koffi from 'koffi';
import type { Handle } from 'pkcs11js';
import { wipe } from '../../../../card/bytes.ts';
import { assertOk } from './cryptoki-error.ts';

const ULONG = koffi.sizeof('unsigned long');
const POINTER = koffi.sizeof('void *');
const PACKED = process.platform === 'win32';
const CKA_VALUE = 0x11;

/** Place of a function in CK_FUNCTION_LIST, behind the CK_VERSION. */
const PLACE = { C_InitToken: 9, C_InitPIN: 10, C_Login: 18, C_CreateObject: 20, C_GetAttributeValue: 24 };

const initToken = koffi.proto(
  'unsigned long KaikaInitToken(unsigned long slot, const uint8_t *pin, unsigned long length, const uint8_t *label)',
);
const initPin = koffi.proto(
  'unsigned long KaikaInitPin(unsigned long session, const uint8_t *pin, unsigned long length)',
);
const login = koffi.proto(
  'unsigned long KaikaLogin(unsigned long session, unsigned long user, const uint8_t *pin, unsigned long length)',
);
const createObject = koffi.proto(
  'unsigned long KaikaCreateObject(unsigned long session, const uint8_t *template, unsigned long count, _Out_ unsigned long *object)',
);
const getAttributeValue = koffi.proto(
  'unsigned long KaikaGetAttributeValue(unsigned long session, unsigned long object, uint8_t *template, unsigned long count)',
);

/** One attribute and its value. */
export interface RawAttribute {
  readonly type: number;
  readonly value: Buffer;
}

function writeUlong(target: Buffer, value: number | bigint, offset: number): void {
  if (ULONG === 8) target.writeBigUInt64LE(BigInt(value), offset);
  else target.writeUInt32LE(Number(value), offset);
}

/** A CK_ULONG in a buffer: an attribute's value, or a handle. */
export function readUlong(source: Buffer, offset = 0): number {
  return ULONG === 8 ? Number(source.readBigUInt64LE(offset)) : source.readUInt32LE(offset);
}

/** A CK_ULONG as attribute value. */
export function ulongValue(value: number): Buffer {
  const buffer = Buffer.alloc(ULONG);
  writeUlong(buffer, value, 0);
  return buffer;
}

/** A CK_BBOOL as attribute value. */
export function boolValue(value: boolean): Buffer {
  return Buffer.of(value ? 1 : 0);
}

/**
 * CK_KEY_DERIVATION_STRING_DATA { pData, ulLen } (PKCS#11 2.40 mechanisms §2.42), for which pkcs11js has no type. The data stand
 * behind the structure in the same memory, so that whoever holds the structure keeps them alive too.
 */
export function derivationStringData(data: Uint8Array): Buffer {
  const size = POINTER + ULONG;
  const memory = Buffer.alloc(size + data.length);
  memory.set(data, size);
  memory.writeBigUInt64LE(koffi.address(memory) + BigInt(size), 0);
  writeUlong(memory, data.length, POINTER);
  return memory.subarray(0, size);
}

const VALUE_AT = PACKED ? ULONG : POINTER;
const ATTRIBUTE_SIZE = VALUE_AT + POINTER + ULONG;

function writeAttribute(template: Buffer, at: number, type: number, address: bigint, length: number): void {
  writeUlong(template, type, at);
  template.writeBigUInt64LE(address, at + VALUE_AT);
  writeUlong(template, length, at + VALUE_AT + POINTER);
}

/** CK_ATTRIBUTE array with copies of the values behind it, in one memory: the caller wipes it. */
function encodeTemplate(attributes: readonly RawAttribute[]): Buffer {
  const head = ATTRIBUTE_SIZE * attributes.length;
  const memory = Buffer.alloc(attributes.reduce((size, { value }) => size + value.length, head));
  let end = head;
  attributes.forEach(({ type, value }, i) => {
    memory.set(value, end);
    writeAttribute(memory, i * ATTRIBUTE_SIZE, type, koffi.address(memory) + BigInt(end), value.length);
    end += value.length;
  });
  return memory;
}

/** The calls that carry secrets, on a module that pkcs11js has loaded too (the loader gives both the same instance). */
export class RawCryptoki {
  readonly #list: unknown;

  /** @throws Error when the module cannot be loaded; Pkcs11Error when it gives no function list. */
  constructor(module: string) {
    const getFunctionList = koffi.load(module).func('unsigned long C_GetFunctionList(_Out_ void **list)');
    const out: unknown[] = [null];
    assertOk(getFunctionList(out), 'C_GetFunctionList');
    this.#list = out[0];
  }

  #call(name: keyof typeof PLACE, type: ReturnType<typeof koffi.proto>, ...args: unknown[]): void {
    const start = PACKED ? 2 : POINTER;
    const address: unknown = koffi.decode(this.#list, start + PLACE[name] * POINTER, 'void *');
    assertOk(koffi.call(address, type, ...args), name);
  }

  /** C_InitToken; `slot` as its handle. The label is padded to the 32 bytes that the call reads. */
  initToken(slot: Handle, soPin: Buffer, label: string): void {
    const padded = Buffer.alloc(32, ' ');
    padded.write(label);
    this.#call('C_InitToken', initToken, readUlong(slot), soPin, soPin.length, padded);
  }

  /** C_InitPIN, in a session of the security officer. */
  initPin(session: Handle, pin: Buffer): void {
    this.#call('C_InitPIN', initPin, readUlong(session), pin, pin.length);
  }

  /** C_Login. The PIN's buffer is the caller's to wipe. */
  login(session: Handle, user: number, pin: Buffer): void {
    this.#call('C_Login', login, readUlong(session), user, pin, pin.length);
  }

  /** C_CreateObject; the one copy of the values that this takes is wiped. */
  createObject(session: Handle, attributes: readonly RawAttribute[]): Handle {
    const template = encodeTemplate(attributes);
    const object: (number | bigint)[] = [0];
    try {
      this.#call('C_CreateObject', createObject, readUlong(session), template, attributes.length, object);
      const handle = Buffer.alloc(ULONG);
      writeUlong(handle, object[0] ?? 0, 0);
      return handle;
    } finally {
      wipe(template);
    }
  }

  /**
   * Reads CKA_VALUE of an extractable object straight into `target`, which must have exactly its length.
   * @throws RangeError when the value is shorter.
   */
  readValue(session: Handle, object: Handle, target: Buffer): void {
    const template = Buffer.alloc(ATTRIBUTE_SIZE);
    writeAttribute(template, 0, CKA_VALUE, koffi.address(target), target.length);
    const handle = readUlong(object);
    this.#call('C_GetAttributeValue', getAttributeValue, readUlong(session), handle, template, 1);
    if (readUlong(template, ATTRIBUTE_SIZE - ULONG) !== target.length)
      throw new RangeError('the value has another length than expected');
  }
}
