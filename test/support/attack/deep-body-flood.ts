/**
 * A process of its own that sends deep bodies of a megabyte to one server, on as many lines as it is told, until whoever started it goes away. Beside
 * the station whose requests are timed it would slow that one down itself. Its line to the server comes as a message, for it has a key in it.
 */
import { Agent, request } from 'node:https';
import { z } from 'zod';

export const floodSchema = z.object({
  port: z.number(),
  lines: z.number(),
  ca: z.string(),
  cert: z.string(),
  key: z.string(),
});
export type Flood = z.infer<typeof floodSchema>;

if (process.send !== undefined)
  process.once('message', (said) => {
    const { port, lines, ca, cert, key } = floodSchema.parse(said);
    const agent = new Agent({ keepAlive: true, ca, cert, key });
    const deep = '['.repeat(500_000) + ']'.repeat(500_000);
    const send = (): void => {
      const headers = { 'content-type': 'application/json' };
      const sent = request({ host: 'localhost', port, method: 'POST', path: '/v1/jobs', agent, headers });
      // Answered, refused or cut off: the next one follows.
      sent.on('response', (response) => response.resume());
      sent.on('error', () => undefined);
      sent.once('close', () => setImmediate(send));
      sent.end(deep);
    };
    for (let line = 0; line < lines; line += 1) send();
    process.send?.('sending');
    process.once('disconnect', () => process.exit(0));
  });
