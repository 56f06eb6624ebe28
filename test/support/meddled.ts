/** A card with somebody between it and its reader. */
import { type CardDevice, PowerLost } from '../../app/simulator/device.ts';

/** `inner`, with what `meddle` makes of commands of one INS: other bytes for the card, or an answer in its place. */
export function meddled(
  inner: CardDevice,
  ins: number,
  meddle: (command: Uint8Array, count: number) => Promise<Uint8Array> | Uint8Array,
): CardDevice {
  let count = 0;
  return {
    atr: inner.atr,
    powerOn: () => inner.powerOn(),
    powerOff: () => inner.powerOff(),
    reset: () => inner.reset(),
    async transmit(command) {
      if (command[1] !== ins) return inner.transmit(command);
      count += 1;
      return meddle(command, count);
    },
  };
}

/** The command with its last byte changed: a wrong MAC, a wrong cryptogram. */
export function spoiled(command: Uint8Array): Uint8Array {
  const wrong = command.slice();
  const last = wrong.length - 1;
  wrong[last] = (wrong[last] ?? 0) ^ 0x01;
  return wrong;
}

/** `inner`, whose power is lost each time behind the command with this INS, counted from its `nth`: the card has done it, and nobody hears so. */
export function lost(inner: CardDevice, ins: number, nth = 1): CardDevice {
  return meddled(inner, ins, async (command, count) => {
    const answer = await inner.transmit(command);
    if (count < nth) return answer;
    inner.powerOff();
    throw new PowerLost();
  });
}
