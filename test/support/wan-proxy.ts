/** A stretch of WAN on loopback: a TCP relay that delays each direction by half the round-trip time. No bytes are lost and none are limited. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface WanProxy {
  readonly port: number;
  /** Milliseconds there and back; holds for bytes that come from now on. */
  setRoundTrip(milliseconds: number): void;
  close(): Promise<void>;
}

export async function openWanProxy(target: number): Promise<WanProxy> {
  let oneWay = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      // Timers of one duration fire in the order they were set, so bytes stay in order.
      from.on('data', (bytes: Buffer) => setTimeout(() => to.writable && to.write(bytes), oneWay));
      from.on('close', () => {
        sockets.delete(from);
        setTimeout(() => to.destroy(), oneWay);
      });
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    setRoundTrip: (milliseconds) => {
      oneWay = milliseconds / 2;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
