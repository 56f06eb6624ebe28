/** A pcscd of our own with virtual readers, in namespaces of its own: the starter's side. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inNamespaces, type RigObstacle, rigAvailability } from './availability.ts';
import { type InsertOptions, type RigEvent, type RigFault, RigMessage, type RigSetup } from './messages.ts';
import { findProgram, systemPath } from './tools.ts';

const START_MS = 60_000;
const CLOSE_MS = 5000;
/** sun_path of a Unix socket holds 108 bytes with its final zero. */
const SOCKET_PATH_BYTES = 107;
const SOCKET = 'pcscd.comm';

/** Why a rig, or something asked of it, did not work. */
export type RigErrorCode = RigObstacle | RigFault | 'start-failed' | 'ended';

/** A fault of the rig itself, not of a card. */
export class RigError extends Error {
  readonly code: RigErrorCode;
  constructor(code: RigErrorCode, message: string) {
    super(message === '' ? code : `${code}: ${message}`);
    this.name = 'RigError';
    this.code = code;
  }
}

/** What kind of rig. */
export interface RigOptions {
  /** Folder of the rig's own files; made if it is not there. `run` in it holds the socket. */
  readonly folder: string;
  /** How many readers, 1 to 16; vpcd has them in pairs, so an odd number is rounded up. */
  readonly readers: number;
  /** Names of the pairs, in Latin-1; for tests of names that are no UTF-8. */
  readonly names?: readonly string[];
  /** Path of the module that exports `openCardFile(path, options)`; the simulator's own by default. */
  readonly cards?: string;
  /** Node 24 or newer, if not the one that runs this. */
  readonly node?: string;
}

/** A running rig. Readers count from 0, as in `readerNames`. Every method rejects with RigError. */
export interface Rig {
  /** For clients: `PCSCLITE_CSOCK_NAME`. */
  readonly socketPath: string;
  readonly readerNames: readonly string[];
  /** How the namespaces were entered. */
  readonly entry: 'root' | 'user-namespace' | 'sudo';
  insert(reader: number, cardFile: string, options?: InsertOptions): Promise<void>;
  remove(reader: number): Promise<void>;
  /** The smart card service goes away, and every reader with it; cards stay where they are. */
  stopService(): Promise<void>;
  startService(): Promise<void>;
  /** Hears of cards that went: `torn` by themselves, or `removed`. Gives the function that ends it. */
  subscribe(listener: (event: RigEvent) => void): () => void;
  /** Ends pcscd and everything in the namespaces, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Starts a rig.
 * @throws RigError
 */
export async function startRig(options: RigOptions): Promise<Rig> {
  const here = await rigAvailability();
  if (!here.available) throw new RigError(here.obstacle, here.detail);
  const { run, temporary } = await runFolder(resolve(options.folder));
  const cards = options.cards ?? fileURLToPath(new URL('../card-file.ts', import.meta.url));
  const setup: RigSetup = {
    run,
    readers: options.readers,
    ...(options.names === undefined ? {} : { names: [...options.names] }),
    driver: here.driver,
    pcscd: here.pcscd,
    cards: pathToFileURL(resolve(cards)).href,
  };
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const command = inNamespaces(here.entry, [options.node ?? process.execPath, main, JSON.stringify(setup)]);
  const child = spawnTied(await findProgram('setpriv'), command);
  const clean = (): Promise<void> => rm(temporary ?? run, { recursive: true, force: true });
  try {
    const talk = await converse(child);
    return rigOver(talk, { socketPath: join(run, SOCKET), entry: here.entry, clean });
  } catch (error) {
    child.kill('SIGKILL');
    await clean();
    throw error;
  }
}

/**
 * Three ties, because a pcscd left behind is worse than a test that fails: the kernel kills the process when this one
 * dies, even by SIGKILL; killing it takes its whole PID namespace along; and it ends by itself when its stdin closes
 * (sudo passes on nothing but that).
 */
function spawnTied(setpriv: string | undefined, command: readonly string[]): ChildProcess {
  const tie = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--'];
  const [program = '', ...args] = [...tie, ...command];
  return spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, PATH: systemPath() },
  });
}

/** `folder`/run, or a short folder where the socket's path would be too long, or where the rig covers it (/run). */
async function runFolder(folder: string): Promise<{ run: string; temporary?: string }> {
  const run = join(folder, 'run');
  const isCovered = run.startsWith('/run/') || run.startsWith('/var/run/');
  if (!isCovered && Buffer.byteLength(join(run, SOCKET)) <= SOCKET_PATH_BYTES) {
    await mkdir(run, { recursive: true, mode: 0o755 });
    return { run };
  }
  const prefix = join(tmpdir(), 'rig-');
  const fits = Buffer.byteLength(join(`${prefix}xxxxxx`, 'run', SOCKET)) <= SOCKET_PATH_BYTES;
  const temporary = await mkdtemp(fits ? prefix : '/tmp/rig-');
  // Clients may be other users; they must reach the socket, not list the folder.
  await chmod(temporary, 0o711);
  await mkdir(join(temporary, 'run'), { mode: 0o755 });
  return { run: join(temporary, 'run'), temporary };
}

type Request =
  | { do: 'insert'; reader: number; cardFile: string; options: InsertOptions }
  | RequestWithoutCard;
type RequestWithoutCard =
  | { do: 'remove'; reader: number }
  | { do: 'stop-service' | 'start-service' | 'close' };

interface Conversation {
  readonly child: ChildProcess;
  readonly readerNames: readonly string[];
  readonly ended: Promise<void>;
  ask(request: Request): Promise<void>;
  listen(listener: (event: RigEvent) => void): () => void;
}

/** Waits for the process to be ready, then carries requests to it and replies and events back. */
function converse(child: ChildProcess): Promise<Conversation> {
  const pending = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  const listeners = new Set<(event: RigEvent) => void>();
  let nextId = 1;
  let said = '';
  let isOver = false;
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new RigError('start-failed', 'no pipes');
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  stdin.on('error', () => undefined);

  const ended = new Promise<void>((done) => {
    const end = (): void => {
      isOver = true;
      for (const { reject } of pending.values()) reject(new RigError('ended', said.trim()));
      pending.clear();
      done();
    };
    child.once('close', end);
    child.once('error', end);
  });

  const ask = (request: Request): Promise<void> =>
    new Promise((done, reject) => {
      if (isOver) {
        reject(new RigError('ended', said.trim()));
        return;
      }
      const id = nextId++;
      pending.set(id, { resolve: done, reject });
      stdin.write(`${JSON.stringify({ id, ...request })}\n`);
    });

  const onReply = (message: Extract<RigMessage, { id: number }>): void => {
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (message.ok) waiting?.resolve();
    else waiting?.reject(new RigError(message.fault, message.message));
  };

  return new Promise((ready, reject) => {
    const timer = setTimeout(() => reject(new RigError('start-failed', 'not ready in time')), START_MS);
    const listen = (listener: (event: RigEvent) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    createInterface({ input: stdout }).on('line', (line) => {
      const message = parse(line);
      if (!message) return;
      if ('id' in message) onReply(message);
      else if (message.event === 'ready') {
        clearTimeout(timer);
        ready({ child, readerNames: message.readerNames, ended, ask, listen });
      } else if (message.event === 'failed') {
        clearTimeout(timer);
        reject(new RigError('start-failed', message.message));
      } else for (const listener of [...listeners]) listener(message);
    });
    void ended.then(() => {
      clearTimeout(timer);
      reject(new RigError('start-failed', said.trim()));
    });
  });
}

function parse(line: string): RigMessage | undefined {
  try {
    return RigMessage.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

interface RigParts {
  readonly socketPath: string;
  readonly entry: Rig['entry'];
  readonly clean: () => Promise<void>;
}

function rigOver(talk: Conversation, { socketPath, entry, clean }: RigParts): Rig {
  let closing: Promise<void> | undefined;
  const closeAll = async (): Promise<void> => {
    const timer = setTimeout(() => talk.child.kill('SIGKILL'), CLOSE_MS);
    await talk.ask({ do: 'close' }).catch(() => undefined);
    talk.child.stdin?.end();
    await talk.ended;
    clearTimeout(timer);
    await clean();
  };
  return {
    socketPath,
    entry,
    readerNames: talk.readerNames,
    insert: (reader, cardFile, options = {}) =>
      talk.ask({ do: 'insert', reader, cardFile: resolve(cardFile), options }),
    remove: (reader) => talk.ask({ do: 'remove', reader }),
    stopService: () => talk.ask({ do: 'stop-service' }),
    startService: () => talk.ask({ do: 'start-service' }),
    subscribe: talk.listen,
    close: () => {
      closing ??= closeAll();
      return closing;
    },
  };
}
