/** `npm run lint`: the formatter and linter, the types, the import rules. All of them report before it ends. */
import { join } from 'node:path';
import { paths } from './copy.mjs';
import { Failure } from './failure.mjs';
import { receivedSignal } from './interruption.mjs';
import { runProgram } from './program.mjs';
import { theRuntime } from './runtime.mjs';

const tool = (...parts) => join(paths.modules, ...parts);
const run = (args, stdout) => runProgram(theRuntime().node, args, { cwd: paths.root, stdout });

/** dependency-cruiser counts errors only in its exit status; here its warnings count too. */
async function importRules() {
  const { status, output } = await run(
    [
      tool('dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
      ...['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'app', 'electron', 'renderer'],
    ],
    'pipe',
  );
  if (receivedSignal()) return status;
  let summary;
  try {
    ({ summary } = JSON.parse(output));
  } catch {
    throw new Failure('The import rules could not be checked: dependency-cruiser gave no result.');
  }
  for (const { rule, from, to } of summary.violations) {
    console.log(`${rule.severity} ${rule.name}: ${from} → ${to}`);
  }
  console.log(`Import rules: ${summary.totalCruised} modules, ${summary.violations.length} violations.`);
  return summary.violations.length === 0 ? status : 1;
}

/** Each part of the program sees the types of where it runs, and no others. */
const PROJECTS = ['.', 'electron', 'renderer'];

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

const CHECKS = [
  async () =>
    (await run([tool('@biomejs', 'biome', 'bin', 'biome'), 'check', '--error-on-warnings', '.'])).status,
  typecheck,
  importRules,
];

/** @returns {Promise<number>} 0 when nothing was found, 1 when something was, 128 + signal when stopped */
export async function lint(args) {
  if (args.length > 0) throw new Failure('lint looks at everything and takes no arguments.', 2);
  let found = 0;
  for (const check of CHECKS) {
    const status = await check();
    if (receivedSignal()) return status;
    if (status !== 0) found = 1;
  }
  return found;
}
