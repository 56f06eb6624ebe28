// @ts-check
import { readFileSync } from 'node:fs';

/** A small text file, or undefined when it is not there. @param {string} path */
export function readText(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
