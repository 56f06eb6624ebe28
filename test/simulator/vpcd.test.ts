/** The link to vpcd, against a peer that speaks its protocol, well and badly. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../app/card/bytes.ts';
import type { CardDevice } from '../../app/simulator/device.ts';
import { insertCard, type RemovalReason } from '../../app/simulator/vpcd.ts';
import { ECHO_ATR, echoCard } from './rig/echo-card.ts';

let server: Server;
let port = 0;
let peer: Promise<Socket>;
let received = '';

beforeEach(listen);
afterEach(close);

describe('insertCard', () => {
  it('gives the ATR and answers commands, however the bytes are cut', async () => {
    await insertCard({ port, device: echoCard() });
    const socket = (await peer).setNoDelay();
    for (const byte of fromHex('0001 04 0005 80A4000000')) {
      // Each byte is on its way before the next one is given to the socket.
      await new Promise((resolve) => socket.write(Uint8Array.of(byte), resolve));
    }
    await receive(`0009${ECHO_ATR}000780A40000009000`);
  });

  it('passes power and reset on, and knows nothing else', async () => {
    const heard: string[] = [];
    const device: CardDevice = {
      atr: fromHex(ECHO_ATR),
      powerOn: () => heard.push('on'),
      powerOff: () => heard.push('off'),
      reset: () => heard.push('reset'),
      transmit: async (command) => command,
    };
    const card = await insertCard({ port, device });
    (await peer).write(fromHex('000101 000102 000100 000177 0000 000104'));
    await receive(`0009${ECHO_ATR}`);
    expect(heard).toEqual(['on', 'reset', 'off']);
    await card.remove();
    expect(heard).toEqual(['on', 'reset', 'off', 'off']);
  });

  it('is noticed when it has been powered and its ATR read, and not by the looks before', async () => {
    const card = await insertCard({ port, device: echoCard() });
    let noticed = false;
    void card.noticed.then(() => {
      noticed = true;
    });
    const socket = await peer;
    socket.write(fromHex('000104'));
    await receive(`0009${ECHO_ATR}`);
    expect(noticed).toBe(false);
    socket.write(fromHex('000101 000104'));
    await card.noticed;
  });

  it('says what the device threw', async () => {
    const fault = new Error('a fault of its own');
    const card = await insertCard({
      port,
      device: { ...echoCard(), transmit: () => Promise.reject(fault) },
    });
    const gone = new Promise((resolve) => card.onRemoved((reason, cause) => resolve([reason, cause])));
    (await peer).write(fromHex('00050000000000'));
    expect(await gone).toEqual(['fault', fault]);
  });

  it('answers a command shorter than its header with 6700', async () => {
    await insertCard({ port, device: echoCard() });
    (await peer).write(fromHex('000300A404'));
    await receive('00026700');
  });

  it('takes the largest frame', async () => {
    await insertCard({ port, device: { ...echoCard(), transmit: async () => fromHex('9000') } });
    (await peer).write(Buffer.concat([fromHex('FFFF'), Buffer.alloc(0xffff, 1)]));
    await receive('00029000');
  });

  it('goes when the peer sends on and on without waiting', async () => {
    const card = await insertCard({ port, device: echoCard() });
    const socket = await peer;
    socket.write(fromHex('000400E00000'));
    socket.write(Buffer.alloc(300_000, 0x7f));
    expect(await reasonOf(card)).toBe('fault');
  });

  it('goes when the card pulls itself, and says so', async () => {
    const card = await insertCard({ port, device: echoCard() });
    (await peer).write(fromHex('000400E10000'));
    expect(await reasonOf(card)).toBe('torn');
    expect(received).toBe('');
  });

  it('goes with the service', async () => {
    const card = await insertCard({ port, device: echoCard() });
    (await peer).destroy();
    expect(await reasonOf(card)).toBe('service');
    await card.vacated;
  });

  it('ends the running command when pulled', async () => {
    const echo = echoCard();
    let running = () => {};
    const isRunning = new Promise<void>((resolve) => {
      running = resolve;
    });
    const transmit = (command: Uint8Array) => {
      running();
      return echo.transmit(command);
    };
    const card = await insertCard({ port, device: { ...echo, transmit } });
    (await peer).write(fromHex('000400E00000'));
    await isRunning;
    await card.remove();
    expect(await reasonOf(card)).toBe('removed');
    expect(received).toBe('');
  });

  it('fails where nothing listens', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => {
      probe.listen(0, '127.0.0.1', resolve);
    });
    const address = probe.address();
    const closed = typeof address === 'object' && address !== null ? address.port : 0;
    await new Promise((resolve) => probe.close(resolve));
    await expect(insertCard({ port: closed, device: echoCard() })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    await insertCard({ port, device: echoCard() });
  });
});

async function listen(): Promise<void> {
  received = '';
  server = createServer({ allowHalfOpen: true });
  peer = new Promise((resolve) => {
    server.once('connection', (socket) => {
      socket.on('data', (bytes) => {
        received += toHex(bytes);
      });
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
}

async function close(): Promise<void> {
  (await peer).destroy();
  server.close();
}

async function receive(hex: string): Promise<void> {
  await expect.poll(() => received.length).toBeGreaterThanOrEqual(hex.length);
  expect(received).toBe(hex);
}

const reasonOf = (card: {
  onRemoved(listener: (reason: RemovalReason) => void): void;
}): Promise<RemovalReason> => new Promise((resolve) => card.onRemoved(resolve));
