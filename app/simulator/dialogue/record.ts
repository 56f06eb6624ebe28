/** Records what happens at a card. */
import { type CardDevice, PowerLost } from '../device.ts';
import type { CardEvent } from './dialogue.ts';
import { DialogueWriter, type WriterOptions } from './write.ts';

/** How a recording is made. */
export interface RecordOptions extends WriterOptions {
  /** Lines for people at the beginning. */
  readonly remarks?: readonly string[];
}

/**
 * The device, telling `write` every event, command and answer as text. Sensitive bytes are masked unless `full`. Takes
 * one command at a time, as a reader gives them.
 */
export function recordedDevice(
  device: CardDevice,
  write: (text: string) => void,
  options: RecordOptions = {},
): CardDevice {
  const writer = new DialogueWriter(options);
  write(writer.begin(device.atr, options.remarks));
  const event = (what: CardEvent, act: () => void) => {
    write(writer.event(what));
    act();
  };
  return {
    atr: device.atr,
    powerOn: () => event('power on', () => device.powerOn()),
    powerOff: () => event('power off', () => device.powerOff()),
    reset: () => event('reset', () => device.reset()),
    transmit: async (command) => {
      write(writer.command(command));
      try {
        const answer = await device.transmit(command);
        write(writer.answer(answer));
        return answer;
      } catch (error) {
        if (error instanceof PowerLost) write(writer.event('power lost'));
        throw error;
      }
    },
  };
}
