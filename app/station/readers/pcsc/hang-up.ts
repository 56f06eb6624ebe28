/**
 * Ends calls that wait for a card for ever. A thread that waits in SCardTransmit cannot be cancelled, and libuv joins
 * its threads when a process exits, so one card that never answers would keep the process from ending. pcsclite's
 * calls wait on a socket to the daemon: hanging up on that frees them, with SCARD_F_COMM_ERROR.
 */
import { readdir } from 'node:fs/promises';
import koffi from 'koffi';

const AF_UNIX = 1;
const SHUT_RDWR = 2;
const SOCKADDR_UN_BYTES = 110;
const FAMILY_BYTES = 2;
/** getpeername gives the path the daemon bound, whatever path we connected to. */
const DAEMON_SOCKET = '/pcscd.comm';

/** Shuts every connection of this process to pcscd. Linux only; elsewhere it does nothing. */
export async function hangUpOnDaemon(): Promise<void> {
  if (process.platform !== 'linux') return;
  const libc = koffi.load(null);
  const getpeername = libc.func('int getpeername(int, uint8_t *, _Inout_ uint32_t *)');
  const shutdown = libc.func('int shutdown(int, int)');
  for (const name of await readdir('/proc/self/fd')) {
    const fd = Number(name);
    const address = Buffer.alloc(SOCKADDR_UN_BYTES);
    const length = [SOCKADDR_UN_BYTES];
    if (getpeername(fd, address, length) !== 0 || address.readUInt16LE(0) !== AF_UNIX) continue;
    const path = address.toString('utf8', FAMILY_BYTES, length[0]).replace(/\0.*$/s, '');
    if (path.endsWith(DAEMON_SOCKET)) shutdown(fd, SHUT_RDWR);
  }
}
