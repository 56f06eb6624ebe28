/** The door of a vault process: messages in, answers out, the end when the parent goes. */
import { wipe } from '../../../card/bytes.ts';
import { harden } from './harden.ts';
import { envelopeSchema, type Reply } from '../messages.ts';
import { VaultError } from '../port.ts';

/** What a vault process does. */
export interface Service {
  /** One request, not yet validated; its bytes are wiped afterwards. May throw VaultError. */
  handle(body: unknown): unknown;
  /** Called once before the process ends. */
  end(): void;
}

/** Wipes every byte array in a message. */
function wipeMessage(value: unknown): void {
  if (value instanceof Uint8Array) wipe(value);
  else if (typeof value === 'object' && value !== null)
    for (const part of Object.values(value)) wipeMessage(part);
}

function answer(service: Service, id: number, body: unknown): Reply {
  try {
    const value = service.handle(body);
    return { id, ok: true, value, rss: process.memoryUsage.rss() };
  } catch (error) {
    // Anything but a VaultError is a mistake of ours; its text could quote what it was given.
    const fault = error instanceof VaultError ? error.fault : 'refused';
    const message = error instanceof VaultError ? error.message : 'the request cannot be carried out';
    return { id, ok: false, fault, message, rss: process.memoryUsage.rss() };
  }
}

/** Serves until the parent disconnects. Protects the process first. @throws Error when that fails */
export function serve(service: Service): void {
  harden();
  const end = (): void => {
    service.end();
    process.exit(0);
  };
  process.once('disconnect', end);
  // A terminal sends SIGINT to the whole group; the server still needs the vault to finish what it has in hand.
  process.on('SIGINT', () => undefined);
  // Node's debugger is off (--disable-sigusr1); without a handler the signal would end the process.
  if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined);
  process.on('SIGTERM', end);
  process.on('message', (message) => {
    const envelope = envelopeSchema.safeParse(message);
    if (!envelope.success) return;
    const { id, body } = envelope.data;
    const reply = answer(service, id, body);
    // Serialised before it returns; so both sides of the call can be wiped here.
    process.send?.(reply);
    wipeMessage(body);
    if (reply.ok) wipeMessage(reply.value);
  });
  if (!process.connected) end();
}
