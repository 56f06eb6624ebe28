/** Who is told what happens in the engine. */
import type { Log } from './ports.ts';
import type { Notification } from './views.ts';

type Listener = (notification: Notification) => void;

export class Listeners {
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Gives the function that takes the listener away again. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One that throws is logged: it must not stop a job or a reader between two effects. */
  tell(notification: Notification): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(notification);
      } catch (error) {
        const detail = error instanceof Error ? error.name : '';
        this.#log('error', 'listener failed', { detail });
      }
    }
  }
}
