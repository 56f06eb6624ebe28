/** A card seen from a reader: power, reset and one command at a time. */
export interface CardDevice {
  /** Answer to reset. */
  readonly atr: Uint8Array;
  powerOn(): void;
  /** Power lost: volatile state is gone, what a command had not finished never happened (or tore the card). */
  powerOff(): void;
  /** Warm reset. */
  reset(): void;
  /** One command APDU in, one response APDU out. Rejects with `PowerLost` when power goes during the command. */
  transmit(command: Uint8Array): Promise<Uint8Array>;
}

/** Power went while a command was running; the reader sees no answer. */
export class PowerLost extends Error {
  constructor() {
    super('power lost during a command');
    this.name = 'PowerLost';
  }
}
