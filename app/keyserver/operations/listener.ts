/** Metrics, health and readiness over plain HTTP, for this machine's own tools only: nothing here names a card or a person. */
import { createServer, type Server } from 'node:http';
import type { Metrics } from './metrics.ts';
import type { ReadinessCheck } from './readiness.ts';

export interface OperationsListener {
  readonly port: number;
  close(): Promise<void>;
}

export async function openOperations(
  at: { readonly host: string; readonly port: number },
  metrics: Metrics,
  readiness: ReadinessCheck,
): Promise<OperationsListener> {
  // Tools of this machine ask briefly: whatever takes longer is cut off within seconds.
  const bounds = { requestTimeout: 10_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };
  const server = createServer({ ...bounds, maxHeaderSize: 8_192 }, (request, response) => {
    const say = (status: number, type: string, body: string) =>
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    if (request.method !== 'GET') return say(405, 'text/plain', 'GET only\n');
    switch (request.url) {
      case '/metrics':
        return void metrics.text().then((text) => say(200, metrics.contentType, text));
      case '/health':
        return say(200, 'application/json', '{"status":"ok"}\n');
      case '/ready':
        return void readiness
          .check()
          .then((found) => say(found.ready ? 200 : 503, 'application/json', `${JSON.stringify(found)}\n`));
      default:
        return say(404, 'text/plain', '/metrics, /health or /ready\n');
    }
  });
  server.setTimeout(10_000);
  server.maxConnections = 32;
  await listen(server, at);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : at.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => resolve());
  });
}
