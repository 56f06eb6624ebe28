/** A small text file, or undefined when it is not there. */
import { readFileSync } from 'node:fs';

export function readText(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
