/**
 * How the PC/SC API looks in memory on each system. Same names everywhere, three layouts:
 * pcsclite takes DWORD and LONG as the machine's long (8 bytes on 64-bit Linux), winscard.dll has 32-bit ones with
 * pointer-wide handles, wide strings and a 36-byte ATR, Apple's PCSC.framework has 32-bit ones in packed structures.
 */

/** Type names of koffi, and what else differs. */
export interface PcscAbi {
  /** Tried in this order. */
  readonly libraries: readonly string[];
  readonly convention: '__cdecl' | '__stdcall';
  readonly DWORD: 'unsigned long' | 'uint32_t';
  readonly LONG: 'long' | 'int32_t';
  /** SCARDCONTEXT and SCARDHANDLE. */
  readonly HANDLE: 'long' | 'int32_t' | 'uintptr_t';
  /** A text going in. */
  readonly LPCSTR: 'str' | 'str16';
  /** Appended to the names of the functions that take or give text. */
  readonly suffix: '' | 'W';
  /** Text coming out of byte buffers. */
  readonly encoding: 'utf8' | 'utf16le';
  readonly packed: boolean;
  readonly atrBytes: 33 | 36;
  /** Whether SCardGetStatusChange takes the pseudo reader that tells of readers coming and going. */
  readonly pnp: boolean;
}

const PCSCLITE: PcscAbi = {
  libraries: ['libpcsclite.so.1'],
  convention: '__cdecl',
  DWORD: 'unsigned long',
  LONG: 'long',
  HANDLE: 'long',
  LPCSTR: 'str',
  suffix: '',
  encoding: 'utf8',
  packed: false,
  atrBytes: 33,
  pnp: true,
};

const WINSCARD: PcscAbi = {
  libraries: ['winscard.dll'],
  convention: '__stdcall',
  DWORD: 'uint32_t',
  LONG: 'int32_t',
  HANDLE: 'uintptr_t',
  LPCSTR: 'str16',
  suffix: 'W',
  encoding: 'utf16le',
  packed: false,
  atrBytes: 36,
  pnp: true,
};

const FRAMEWORK: PcscAbi = {
  libraries: ['/System/Library/Frameworks/PCSC.framework/PCSC'],
  convention: '__cdecl',
  DWORD: 'uint32_t',
  LONG: 'int32_t',
  HANDLE: 'int32_t',
  LPCSTR: 'str',
  suffix: '',
  encoding: 'utf8',
  packed: true,
  atrBytes: 33,
  pnp: false,
};

/** The layout of PC/SC on `platform`. */
export function pcscAbi(platform: NodeJS.Platform): PcscAbi {
  if (platform === 'win32') return WINSCARD;
  return platform === 'darwin' ? FRAMEWORK : PCSCLITE;
}
