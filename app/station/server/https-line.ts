/** One keep-alive HTTPS line to one origin, on node:https. Knows bytes, time-outs and error codes, not what is said. */
import { Agent, type RequestOptions, request } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { STORE_GENERATION_HEADER } from '../../protocol/receipts.ts';
import { LIMITS } from '../../protocol/wire.ts';

export interface HttpsLineOptions {
  /** `https://host[:port]`. */
  readonly origin: string;
  /** PEM: the CA that the server's chain must end in (no other is trusted), our certificate and its key. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Milliseconds until the handshake must be done, and until the whole answer must be there. */
  readonly connectTimeoutMs?: number;
  readonly responseTimeoutMs?: number;
}

export type LineAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly date: string | undefined;
      /** Generation of the server's store, as its header has it. */
      readonly storeGeneration: string | undefined;
      readonly body: string;
    }
  | {
      readonly kind: 'failed';
      /** Node's or OpenSSL's code; `TIMEOUT_*` and `BODY_TOO_LARGE` are ours. */
      readonly code: string;
      /** Bytes of the request may have left: the handshake was done. */
      readonly sent: boolean;
      /** The handshake was done and the server then closed the line without answering, twice in a row: that is how a server refuses our certificate under TLS 1.3. */
      readonly refusedAfterHandshake: boolean;
    };

/** How long a server that refuses our certificate may take to close an idle line after the handshake. */
const REFUSAL_WAIT_MS = 1_000;

export class HttpsLine {
  readonly #options: HttpsLineOptions;
  readonly #agent: Agent;
  readonly #url: URL;

  constructor(options: HttpsLineOptions) {
    this.#options = options;
    this.#url = new URL(options.origin);
    if (this.#url.protocol !== 'https:') throw new RangeError('the key server is reached over https only');
    this.#agent = new Agent({ keepAlive: true, maxSockets: 8, maxFreeSockets: 4, ...this.#tls() });
  }

  /** Sends one request. Failures are values; rejects never. */
  async request(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    token: string | undefined,
    signal?: AbortSignal,
  ): Promise<LineAnswer> {
    let attempt = await this.#attempt(method, path, body, token, signal);
    // A kept line that the server had closed meanwhile: nothing was read, so the same request goes out on a new one.
    if (attempt.answer.kind === 'failed' && attempt.reused && isCut(attempt.answer.code)) {
      attempt = await this.#attempt(method, path, body, token, signal);
    }
    const { answer, secured, reused } = attempt;
    if (answer.kind === 'failed' && secured && !reused && isCut(answer.code) && !signal?.aborted) {
      return { ...answer, refusedAfterHandshake: await this.#closesAfterHandshake() };
    }
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }

  #tls() {
    const { ca, cert, key } = this.#options;
    return { ca, cert, key, minVersion: 'TLSv1.3', rejectUnauthorized: true } as const;
  }

  #attempt(
    method: 'GET' | 'POST',
    path: string,
    body: string | undefined,
    token: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ answer: LineAnswer; secured: boolean; reused: boolean }> {
    return new Promise((resolve) => {
      let secured = false;
      const payload = body === undefined ? undefined : Buffer.from(body);
      const options: RequestOptions = {
        agent: this.#agent,
        method,
        host: this.#url.hostname.replace(/^\[|\]$/g, ''),
        port: this.#url.port === '' ? 443 : Number(this.#url.port),
        path,
        headers: {
          accept: 'application/json',
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': payload.length }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...this.#tls(),
      };
      const outgoing = request(options);
      let timer = setTimeout(() => fail('TIMEOUT_CONNECT'), this.#options.connectTimeoutMs ?? 5_000);
      const finish = (answer: LineAnswer) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        resolve({ answer, secured, reused: outgoing.reusedSocket });
      };
      const fail = (code: string) => {
        finish({ kind: 'failed', code, sent: secured, refusedAfterHandshake: false });
        outgoing.destroy();
      };
      const onAbort = () => fail('ABORTED');
      const onSecure = () => {
        secured = true;
        clearTimeout(timer);
        timer = setTimeout(() => fail('TIMEOUT_ANSWER'), this.#options.responseTimeoutMs ?? 12_000);
      };
      if (signal?.aborted) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      outgoing.on('socket', (socket) => {
        if (outgoing.reusedSocket) onSecure();
        else socket.once('secureConnect', onSecure);
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'UNKNOWN'));
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > LIMITS.bodyBytes) fail('BODY_TOO_LARGE');
          else chunks.push(chunk);
        });
        incoming.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'UNKNOWN'));
        incoming.on('aborted', () => fail('ECONNABORTED'));
        incoming.on('end', () => {
          if (!incoming.complete) fail('ECONNABORTED');
          else {
            const body = Buffer.concat(chunks).toString('utf8');
            const generation = incoming.headers[STORE_GENERATION_HEADER];
            finish({
              kind: 'answered',
              status: incoming.statusCode ?? 0,
              date: incoming.headers.date,
              storeGeneration: typeof generation === 'string' ? generation : undefined,
              body,
            });
          }
        });
      });
      outgoing.end(payload);
    });
  }

  /**
   * Under TLS 1.3 a client is done with the handshake before the server has looked at its certificate; a server that refuses
   * may just close. A cut line looks the same, once. So: a second handshake with nothing sent, which a server that is
   * content leaves open.
   */
  #closesAfterHandshake(): Promise<boolean> {
    return new Promise((resolve) => {
      let secured = false;
      const socket: TLSSocket = connect({
        host: this.#url.hostname.replace(/^\[|\]$/g, ''),
        port: this.#url.port === '' ? 443 : Number(this.#url.port),
        ...(/^[\d.]+$|:/.test(this.#url.hostname) ? {} : { servername: this.#url.hostname }),
        ...this.#tls(),
      });
      const done = (refused: boolean) => {
        clearTimeout(timer);
        socket.destroy();
        resolve(refused);
      };
      let timer = setTimeout(() => done(false), this.#options.connectTimeoutMs ?? 5_000);
      socket.once('secureConnect', () => {
        secured = true;
        clearTimeout(timer);
        timer = setTimeout(() => done(false), REFUSAL_WAIT_MS);
      });
      socket.once('error', () => done(secured));
      socket.once('close', () => done(secured));
      socket.resume();
    });
  }
}

function isCut(code: string): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED';
}
