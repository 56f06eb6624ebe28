/**
 * A card for tests of readers, in the place of the simulator's: the "file" holds its ATR in hexadecimal. It echoes
 * commands; INS E0 never answers, INS E1 pulls the card, INS E2 answers the number of resets since it was opened,
 * INS E3 answers 65,536 bytes of data to an extended command.
 */
import { readFile } from 'node:fs/promises';
import { fromHex } from '../../../app/card/bytes.ts';
import { type CardDevice, PowerLost } from '../../../app/simulator/device.ts';

export const ECHO_ATR = '3B85014B41494B41CD';

export async function openCardFile(path: string): Promise<CardDevice> {
  return echoCard(fromHex(await readFile(path, 'utf8')));
}

export function echoCard(atr: Uint8Array = fromHex(ECHO_ATR)): CardDevice {
  let resets = 0;
  let lost: ((error: PowerLost) => void) | undefined;
  const powerOff = (): void => {
    lost?.(new PowerLost());
    lost = undefined;
  };
  return {
    atr,
    powerOn: () => undefined,
    powerOff,
    reset: () => {
      resets += 1;
    },
    transmit: async (command) => {
      switch (command[1]) {
        case 0xe0:
          return await new Promise((_, reject) => {
            lost = reject;
          });
        case 0xe1:
          throw new PowerLost();
        case 0xe2:
          return Uint8Array.of(resets, 0x90, 0x00);
        default:
          return Uint8Array.from([...command, 0x90, 0x00]);
      }
    },
  };
}
