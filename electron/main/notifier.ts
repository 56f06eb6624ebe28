/** Numbers the changes and sends them to the window. */
import type { WebContents } from 'electron';
import type { Log } from '../../app/station/ports.ts';
import { NOTIFICATIONS } from '../ipc-schema/calls.ts';
import { type Change, notificationSchema } from '../ipc-schema.ts';

export class Notifier {
  readonly #window: () => WebContents | undefined;
  readonly #log: Log;
  #at = 0;

  constructor(window: () => WebContents | undefined, log: Log) {
    this.#window = window;
    this.#log = log;
  }

  /** The number of the last change. */
  get at(): number {
    return this.#at;
  }

  /** One that does not follow the schema is not sent; the window notices the gap and asks for everything again. */
  tell(change: Change): void {
    this.#at += 1;
    const notification = notificationSchema.safeParse({ at: this.#at, change });
    if (notification.success) this.#window()?.send(NOTIFICATIONS, notification.data);
    else this.#log('error', 'change not sent', { step: change.kind });
  }
}
