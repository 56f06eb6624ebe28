/** The card a job works on: one connection, good until the first sign that the card went or was reset. */
import { type CardConnection, CardError, type CardFault } from '../../card/reader-port.ts';
import type { CardEvent } from '../../protocol/wire.ts';
import { eventOfCardFault } from './machine/card-faults.ts';

interface LinkLoss {
  readonly event: CardEvent;
  readonly fault: CardFault;
}

export class CardLink {
  readonly reader: string;
  readonly #connection: CardConnection;
  #loss: LinkLoss | undefined;
  readonly #lost: Promise<LinkLoss>;
  #tellLost: (loss: LinkLoss) => void = () => undefined;

  constructor(connection: CardConnection) {
    this.reader = connection.reader;
    this.#connection = connection;
    this.#lost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
  }

  get atr(): Uint8Array {
    return this.#connection.atr;
  }

  /** How the link was lost; undefined while it stands. */
  get loss(): LinkLoss | undefined {
    return this.#loss;
  }

  /** Resolves when the link is lost. Never rejects. */
  get lost(): Promise<LinkLoss> {
    return this.#lost;
  }

  /** The link is over, also for a command still on its way. The first cause stays. */
  lose(fault: CardFault): void {
    if (this.#loss !== undefined) return;
    this.#loss = { fault, event: eventOfCardFault(fault) };
    this.#tellLost(this.#loss);
  }

  /**
   * As `CardConnection.transmit`; rejects also as soon as the reader says that the card went, because a driver may leave a
   * transmit without an end. Any card fault ends the link.
   */
  async transmit(command: Uint8Array): Promise<Uint8Array> {
    if (this.#loss !== undefined) throw new CardError('card-absent', this.#loss.fault);
    try {
      return await Promise.race([
        this.#connection.transmit(command),
        this.#lost.then((loss): never => {
          throw new CardError(loss.fault);
        }),
      ]);
    } catch (error) {
      if (error instanceof CardError) this.lose(error.fault);
      throw error;
    }
  }
}
