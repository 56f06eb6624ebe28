/** What never becomes a request: no HTTP, headers without end, a request that does not come to one. It gets an error body all the same. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { KaikaError } from '../../protocol/errors.ts';
import { codeOf } from '../error-code.ts';
import { toErrorBody } from './errors.ts';

/** By Node's code of the fault: the status line, and what the body says. */
const FAULTS: Readonly<Record<string, readonly [string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'the request did not come to its end in time'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'the headers are too long'],
};
const NOT_HTTP = ['400 Bad Request', 'this is not HTTP'] as const;

/**
 * Answers and ends the connection. Where there is no connection yet, because it did not come to the end of its handshake, nothing is written: what
 * waits to be written keeps a socket open for ever.
 */
export function answerGarbage(error: Error, socket: Socket): void {
  const code = codeOf(error);
  if (!/^(?:HPE_|ERR_HTTP_)/.test(code) || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, said] = FAULTS[code] ?? NOT_HTTP;
  const body = JSON.stringify(toErrorBody(new KaikaError('bad-request', said), randomUUID()));
  const headers = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  socket.write(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${body}`);
  socket.destroySoon();
}
