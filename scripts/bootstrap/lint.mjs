// @ts-check
/** `npm run lint`: the formatter and linter, the types, the import rules, the length of files. All of them report before it ends. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fieldOf, paths } from './copy.mjs';
import { Failure } from './failure.mjs';
import { receivedSignal } from './interruption.mjs';
import { runProgram } from './program.mjs';
import { theRuntime } from './runtime.mjs';

/** @param {string[]} parts */
const tool = (...parts) => join(paths.modules, ...parts);
/** @param {string[]} args @param {'inherit' | 'pipe'} [stdout] */
const run = (args, stdout = 'inherit') => runProgram(theRuntime().node, args, { cwd: paths.root, stdout });

async function formatAndLint() {
  const biome = tool('@biomejs', 'biome', 'bin', 'biome');
  return (await run([biome, 'check', '--error-on-warnings', '.'])).status;
}

/** Each part of the program sees the types of where it runs, and no others. */
const PROJECTS = ['.', 'electron', 'renderer', 'scripts'];

/** @returns {Promise<number>} 0, or the status of the last project in which something was found */
export async function typecheck() {
  let found = 0;
  for (const project of PROJECTS) {
    const { status } = await run([tool('typescript', 'bin', 'tsc'), '-p', project]);
    if (receivedSignal()) return status;
    if (status !== 0) found = status;
  }
  if (found === 0) console.log('Types: no errors.');
  return found;
}

/** dependency-cruiser counts errors only in its exit status; here its warnings count too. */
async function importRules() {
  const options = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { status, output } = await run(
    [
      tool('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
      ...options,
      ...['app', 'electron', 'renderer', 'scripts', 'test'],
    ],
    'pipe',
  );
  if (receivedSignal()) return status;
  let summary;
  try {
    summary = fieldOf(JSON.parse(output), 'summary');
  } catch {
    throw new Failure('The import rules could not be checked: dependency-cruiser gave no result.');
  }
  const list = fieldOf(summary, 'violations');
  /** @type {unknown[]} */
  const violations = Array.isArray(list) ? list : [];
  for (const violation of violations) {
    const rule = fieldOf(violation, 'rule');
    const [from, to] = ['from', 'to'].map((name) => fieldOf(violation, name));
    console.log(`${fieldOf(rule, 'severity')} ${fieldOf(rule, 'name')}: ${from} → ${to}`);
  }
  console.log(`Import rules: ${fieldOf(summary, 'totalCruised')} modules, ${violations.length} violations.`);
  return violations.length === 0 ? status : 1;
}

/** A file that grows beyond this says more than one thing. */
const LONGEST = 300;

/** @returns {Promise<number>} 1 when a source file has more lines */
async function fileLengths() {
  const files = ['app', 'electron', 'renderer', 'scripts'].flatMap((folder) =>
    readdirSync(join(paths.root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(?:[cm]?[jt]s|tsx|css)$/.test(path))
      .map((path) => join(folder, path)),
  );
  const long = files.flatMap((path) => {
    const lines = readFileSync(join(paths.root, path), 'utf8').split('\n').length - 1;
    return lines > LONGEST ? [`${path}: ${lines} lines`] : [];
  });
  for (const one of long) console.log(`error file-too-long: ${one}, and ${LONGEST} is the most`);
  console.log(`File lengths: ${files.length} files, ${long.length} too long.`);
  return long.length === 0 ? 0 : 1;
}

/** @returns {Promise<number>} 0 when nothing was found, 1 when something was, 128 + signal when stopped */
export async function lint(/** @type {string[]} */ args) {
  if (args.length > 0) throw new Failure('lint looks at everything and takes no arguments.', 2);
  let found = 0;
  for (const check of [formatAndLint, typecheck, importRules, fileLengths]) {
    const status = await check();
    if (receivedSignal()) return status;
    if (status !== 0) found = 1;
  }
  return found;
}
