/** The two structures of the PC/SC API, laid out as the system's headers have them. */
import koffi from 'koffi';
import type { PcscAbi } from './abi.ts';

/** A structure as koffi keeps it. */
type NativeStruct = ReturnType<typeof koffi.struct>;

/** SCARD_IO_REQUEST and SCARD_READERSTATE (PCSC.framework packs both). */
export function scardStructs(abi: PcscAbi): {
  SCARD_IO_REQUEST: NativeStruct;
  SCARD_READERSTATE: NativeStruct;
} {
  const { DWORD, LPCSTR, atrBytes } = abi;
  const struct = abi.packed ? koffi.pack : koffi.struct;
  return {
    SCARD_IO_REQUEST: struct({ dwProtocol: DWORD, cbPciLength: DWORD }),
    SCARD_READERSTATE: struct({
      szReader: LPCSTR,
      pvUserData: 'void *',
      dwCurrentState: DWORD,
      dwEventState: DWORD,
      cbAtr: DWORD,
      rgbAtr: koffi.array('uint8_t', atrBytes, 'Typed'),
    }),
  };
}
