/** The DevTools protocol by hand. Playwright needs the inspect fuse, which is off in the packaged station; this does not. */
import { vi } from 'vitest';
import { z } from 'zod';
import { LIMIT, PATIENT } from '../../support/limit.ts';

export interface DevTools {
  /** Runs an expression in the page and waits for what it promises. */
  evaluate(expression: string): Promise<unknown>;
  close(): void;
}

const targetsSchema = z.array(z.looseObject({ type: z.string(), webSocketDebuggerUrl: z.string() }));
const messageSchema = z.looseObject({
  id: z.number().optional(),
  result: z
    .looseObject({
      result: z.looseObject({ value: z.unknown().optional() }).optional(),
      exceptionDetails: z.looseObject({ text: z.string() }).optional(),
    })
    .optional(),
});

/** Waits for the port and the page, then opens a line to it. */
export async function openDevTools(port: () => string | undefined): Promise<DevTools> {
  const address = await vi.waitFor(async () => {
    const answer = await fetch(`http://127.0.0.1:${port() ?? '0'}/json/list`, {
      signal: AbortSignal.timeout(LIMIT),
    });
    const page = targetsSchema.parse(await answer.json()).find(({ type }) => type === 'page');
    if (page === undefined) throw new Error('there is no page yet');
    return page.webSocketDebuggerUrl;
  }, PATIENT);
  const socket = new WebSocket(address);
  const waiting = new Map<number, (message: z.infer<typeof messageSchema>) => void>();
  let last = 0;
  socket.addEventListener('message', (event) => {
    const message = messageSchema.parse(JSON.parse(String(event.data)));
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    socket.addEventListener('error', () => reject(new Error('no line to the page')));
  });
  return {
    close: () => socket.close(),
    evaluate: async (expression) => {
      last += 1;
      const id = last;
      const answered = new Promise<z.infer<typeof messageSchema>>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer: ${expression.slice(0, 40)}`)), LIMIT);
        waiting.set(id, (message) => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve(message);
        });
      });
      const params = { expression, awaitPromise: true, returnByValue: true };
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params }));
      const { result } = await answered;
      if (result?.exceptionDetails !== undefined) throw new Error(result.exceptionDetails.text);
      return result?.result?.value;
    },
  };
}
