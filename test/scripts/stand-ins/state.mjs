/** What all stand-ins share: writing down how they were called, and reading what they are to do. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [, script, base, ...words] = process.argv;
const tool = script.replace(/^.*\/|\.mjs$/g, '');

export const args = words;
export const file = (name) => join(base, name);

appendFileSync(file('calls'), `${[tool, ...words].join(' ')}\n`);

/** This call's word; the last one stays for all later calls. */
export function takeMode() {
  const path = file(`${tool}.mode`);
  if (!existsSync(path)) return 'works';
  const [now, ...later] = readFileSync(path, 'utf8').split('\n');
  if (later.length > 0) writeFileSync(path, later.join('\n'));
  return now;
}

export const installed = () => readFileSync(file('installed'), 'utf8').split('\n').filter(Boolean);
export const setInstalled = (names) => writeFileSync(file('installed'), [...new Set(names)].join('\n'));

/** A line on stdout. */
export const print = (line) => process.stdout.write(`${line}\n`);

/** Says it as the tool would and ends. */
export function end(status, ...lines) {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(status);
}
