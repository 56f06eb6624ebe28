/** A dialogue written to a file as it happens. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { CardDevice } from '../device.ts';
import { type RecordOptions, recordedDevice } from './record.ts';

/** Where, and how much. */
interface TraceOptions extends RecordOptions {
  /** Made when it is not there, its owner's alone; otherwise written at its end. */
  readonly path: string;
}

/**
 * The device, recorded in a file: every line is there when the command it belongs to is done, so that a crash loses
 * nothing. A disk that fills up ends the recording and not the card.
 * @throws the file system's error when the file cannot be opened
 */
export function tracedToFile(device: CardDevice, { path, ...options }: TraceOptions): CardDevice {
  let file: number | undefined = openSync(path, 'a', 0o600);
  const write = (text: string) => {
    if (file === undefined) return;
    try {
      writeSync(file, text);
    } catch {
      closeSync(file);
      file = undefined;
    }
  };
  return recordedDevice(device, write, options);
}
