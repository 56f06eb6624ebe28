/** A station that says what its card never said. */
import type { CardDevice } from '../../app/simulator/device.ts';

/** Answers some commands without asking the card. */
export function inventing(card: CardDevice, which: (apdu: string) => boolean, answer: string): CardDevice {
  return {
    atr: card.atr,
    powerOn: () => card.powerOn(),
    powerOff: () => card.powerOff(),
    reset: () => card.reset(),
    transmit: (command) =>
      which(Buffer.from(command).toString('hex').toUpperCase())
        ? Promise.resolve(new Uint8Array(Buffer.from(answer, 'hex')))
        : card.transmit(command),
  };
}
