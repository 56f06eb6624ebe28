/** How a vault process talks with its parent: each message is answered, one after the other, until the parent goes. */
import { wipeMessage } from '../bytes-schema.ts';
import { VaultError } from '../error.ts';
import { envelopeSchema, type Reply } from '../messages.ts';
import { harden } from './harden.ts';

/** What a vault process does. */
interface Service {
  /** One request, not yet validated; its bytes are wiped afterwards. May throw VaultError. */
  handle(body: unknown): unknown;
  /** Called once before the process ends. */
  end(): void;
}

/** How long a reading of the memory is told again: it grows slowly, and reading it is a look into the file system at every answer. */
const MEMORY_MILLISECONDS = 1_000;

/** Resident memory in bytes, read once in a while. */
function memoryReader(): () => number {
  let rss = 0;
  let read = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (now - read > MEMORY_MILLISECONDS) {
      rss = process.memoryUsage.rss();
      read = now;
    }
    return rss;
  };
}

function answer(service: Service, id: number, body: unknown, rss: number): Reply {
  try {
    const value = service.handle(body);
    return { id, ok: true, value, rss };
  } catch (error) {
    // Anything but a VaultError is a mistake in this program. Its text is withheld, because it could quote a key or a PIN.
    const fault = error instanceof VaultError ? error.fault : 'refused';
    const message = error instanceof VaultError ? error.message : 'the request cannot be carried out';
    return { id, ok: false, fault, message, rss };
  }
}

/**
 * Serves until the parent disconnects. The process is protected before `prepare` loads anything; what the parent sends meanwhile
 * waits in the channel.
 * @throws Error when the process cannot be protected; what `prepare` throws
 */
export async function serve(prepare: () => Promise<Service>): Promise<void> {
  harden();
  // A terminal sends SIGINT to the whole group; the server still needs the vault to finish what it has in hand.
  process.on('SIGINT', () => undefined);
  // Node's debugger is off (--disable-sigusr1); without a handler the signal would end the process.
  if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined);
  const service = await prepare();
  const memory = memoryReader();
  const end = (): void => {
    service.end();
    process.exit(0);
  };
  process.once('disconnect', end);
  process.on('SIGTERM', end);
  process.on('message', (message) => {
    const envelope = envelopeSchema.safeParse(message);
    if (!envelope.success) return;
    const { id, body } = envelope.data;
    const reply = answer(service, id, body, memory());
    // `send` has copied the answer when it returns, so request and answer can be wiped here.
    process.send?.(reply);
    wipeMessage(body);
    if (reply.ok) wipeMessage(reply.value);
  });
  if (!process.connected) end();
}
