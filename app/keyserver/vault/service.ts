/**
 * The vault as a service under a user of its own: a Unix socket is the only way in, and nobody else can read the PIN or open the token. Who
 * may connect is kept by the system: the socket and its folder are open to one group (SO_PEERCRED, by which a service could ask the system
 * who is calling, is not to be had in Node). Behind the socket are the same processes, queue and limits as in front of a server's own vault.
 */
import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';
import { LONGEST_CLEAR, LONGEST_SEALED, wipeMessage } from './bytes-schema.ts';
import { CallQueue } from './call-queue.ts';
import { queueConfigOf, type VaultConfig } from './client.ts';
import { VaultError } from './error.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { callSchema, envelopeSchema, type SocketReply } from './messages.ts';
import { entryOf } from './vault-child.ts';

/** Read and written by the owner and the group, and by nobody else. */
const SOCKET_MODE = 0o660;
const MOST_CONNECTIONS = 64;
/** Room for the names in a call, beside what is to be sealed. */
const LONGEST_CALL = Math.max(LONGEST_CLEAR, LONGEST_SEALED) + (64 << 10);
/** Answers that a caller does not fetch: above this nothing more of it is read. */
const MOST_UNSENT = 4 << 20;

/** A token, and where its socket is. */
export interface ServiceConfig extends VaultConfig {
  /** Path of the Unix socket. Its folder belongs to this user, and others than user and group have no way into it. */
  readonly socket: string;
}

interface RunningService {
  close(): Promise<void>;
}

/**
 * Opens the token, then the socket.
 * @throws VaultError `refused` when the token does not accept the PIN, or when folder or socket are not as they have to be
 */
export async function serveSocket(config: ServiceConfig): Promise<RunningService> {
  await clearPlace(config.socket);
  const queue = new CallQueue(queueConfigOf(config, entryOf('main')));
  await queue.start();
  try {
    const server = await listen(config.socket, queue);
    return {
      async close() {
        await new Promise<void>((resolve) => {
          server.server.close(() => resolve());
          for (const socket of server.open) socket.destroy();
        });
        await queue.close();
      },
    };
  } catch (error) {
    await queue.close();
    throw error;
  }
}

/** @throws VaultError `refused` */
async function clearPlace(path: string): Promise<void> {
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  if (folder === undefined)
    throw new VaultError('refused', `${dirname(path)}: the socket's folder is not there`);
  if ((folder.mode & 0o027) !== 0)
    throw new VaultError(
      'refused',
      `${dirname(path)}: others may get into the socket's folder, or its group may write it`,
    );
  if (folder.uid !== process.getuid?.())
    throw new VaultError('refused', `${dirname(path)}: the socket's folder is another user's`);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket()) throw new VaultError('refused', `${path} is no socket`);
  if (await answers(path)) throw new VaultError('refused', `${path}: another vault is there already`);
  // What a service left behind that was killed.
  rmSync(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const is = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', is(true));
    socket.once('error', is(false));
  });
}

async function listen(path: string, queue: CallQueue): Promise<{ server: Server; open: Set<Socket> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    attend(socket, queue);
  });
  server.maxConnections = MOST_CONNECTIONS;
  // The socket is nobody else's from its first moment on, until its mode says whose it is besides.
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(before);
  }
  chmodSync(path, SOCKET_MODE);
  return { server, open };
}

const message = envelopeSchema.extend({ body: callSchema });

/** Answers one caller. What is no call ends its connection: it is no server of ours. */
function attend(socket: Socket, queue: CallQueue): void {
  const reader = new FrameReader(LONGEST_CALL);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    try {
      for (const received of reader.take(chunk)) {
        const { id, body } = message.parse(received);
        void answer(queue, id, body).then((reply) => send(socket, reply));
      }
    } catch {
      socket.destroy();
    }
  });
}

async function answer(queue: CallQueue, id: number, body: z.output<typeof callSchema>): Promise<SocketReply> {
  try {
    return { id, ok: true, value: await queue.call(body, z.unknown()) };
  } catch (error) {
    const fault = error instanceof VaultError ? error.fault : 'refused';
    const text = error instanceof VaultError ? error.message : 'the request cannot be carried out';
    return { id, ok: false, fault, message: text };
  } finally {
    wipeMessage(body);
  }
}

function send(socket: Socket, reply: SocketReply): void {
  const frame = encodeFrame(reply);
  if (reply.ok) wipeMessage(reply.value);
  if (socket.destroyed) {
    frame.fill(0);
    return;
  }
  socket.write(frame, () => frame.fill(0));
  if (socket.writableLength <= MOST_UNSENT || socket.isPaused()) return;
  socket.pause();
  socket.once('drain', () => socket.resume());
}
