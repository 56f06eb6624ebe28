/** Watching the commands of a card: INS and status word, never data. */
import type { Fault, FaultyDevice } from '../../../app/simulator/fault.ts';

/** One command as an observer may see it. `sw` is absent when power went before the answer. */
interface TracedCommand {
  /** Counted from 1. */
  readonly index: number;
  readonly ins: number;
  readonly sw?: number;
}

/** The device, telling `observe` of every command it answered or lost. */
export function tracedDevice(device: FaultyDevice, observe: (command: TracedCommand) => void): FaultyDevice {
  let index = 0;
  const transmitWithFault = async (command: Uint8Array, fault: Fault | undefined) => {
    index += 1;
    const traced = { index, ins: command[1] ?? -1 };
    try {
      const answer = await device.transmitWithFault(command, fault);
      const [sw1 = 0, sw2 = 0] = answer.slice(-2);
      observe({ ...traced, sw: (sw1 << 8) | sw2 });
      return answer;
    } catch (error) {
      observe(traced);
      throw error;
    }
  };
  return {
    atr: device.atr,
    powerOn: () => device.powerOn(),
    powerOff: () => device.powerOff(),
    reset: () => device.reset(),
    transmit: (command) => transmitWithFault(command, undefined),
    transmitWithFault,
  };
}

/** An observer that counts: all commands, and by INS. */
export function countingTrace(): {
  readonly commands: readonly TracedCommand[];
  observe(command: TracedCommand): void;
  count(ins?: number): number;
} {
  const commands: TracedCommand[] = [];
  return {
    commands,
    observe: (command) => {
      commands.push(command);
    },
    count: (ins) => commands.filter((command) => ins === undefined || command.ins === ins).length,
  };
}
