/** Lines to several instances of one server: whichever answers is kept, and the next one is tried when it is away. */
import { HttpsLine, type HttpsLineOptions, type LineAnswer } from './https-line.ts';

/** One request, to be sent to whichever instance answers. */
interface LineRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
  readonly token: string | undefined;
}

/** Sticky: one station's requests stay with one instance while it answers. */
export class OriginLines {
  readonly #lines: readonly HttpsLine[];
  #at = 0;

  /** @throws RangeError without an origin, or with one that is not https */
  constructor(options: Omit<HttpsLineOptions, 'origin'>, origins: readonly string[]) {
    if (origins.length === 0) throw new RangeError('a station needs the address of its key server');
    this.#lines = origins.map((origin) => new HttpsLine({ ...options, origin }));
  }

  /**
   * Sends a request; while `isAway` says that an instance is not there, to the next, each once. The request may so reach two
   * instances, which is harmless: the same one again changes nothing. Rejects never; when all are away, `sent` tells whether any
   * may have got it.
   */
  async request(
    { method, path, body, token }: LineRequest,
    isAway: (answer: LineAnswer) => boolean,
    signal?: AbortSignal,
  ): Promise<LineAnswer> {
    const first = this.#at;
    let sent = false;
    let said: LineAnswer | undefined;
    for (const [turn, line] of [...this.#lines.slice(first), ...this.#lines.slice(0, first)].entries()) {
      const answer = await line.request(method, path, body, token, signal);
      sent ||= answer.kind === 'failed' && answer.sent;
      if (!isAway(answer) || signal?.aborted === true) {
        if (answer.kind === 'answered') this.#at = (first + turn) % this.#lines.length;
        return answer.kind === 'failed' ? { ...answer, sent } : answer;
      }
      if (said === undefined || answer.kind === 'answered') said = answer;
    }
    // Next time it begins with another one: this one may hang, and take its whole time again.
    this.#at = (first + 1) % this.#lines.length;
    if (said === undefined) throw new Error('no origin');
    return said.kind === 'failed' ? { ...said, sent } : said;
  }

  close(): void {
    for (const line of this.#lines) line.close();
  }
}
