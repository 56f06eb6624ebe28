/** `npm start`: the demo. Everything it talks goes to standard error; `--json` puts the result on standard output. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { KaikaError } from '../protocol/errors.ts';
import { type HeadlessResult, refusal } from '../station/headless/result.ts';
import { lockInstallation } from '../station/lock.ts';
import { refuseInspector } from '../station/no-inspector.ts';
import { widenThreadPool } from '../station/readers/pcsc/index.ts';
import { Cleanup } from './cleanup.ts';
import { dataFolder } from './data-folder.ts';
import { explainFailure } from './explain.ts';
import { FAULTS } from './faults.ts';
import { headless } from './headless.ts';
import { type Options, parseOptions, UsageError, usage } from './options.ts';
import { loadCatalogue, loadTexts, terminalLanguage } from './resources.ts';
import { isSite } from './site.ts';
import { TerminalTeller } from './teller.ts';
import { openWindow, showRunningWindow } from './window.ts';

widenThreadPool();
refuseInspector();

const say = (line: string) => process.stderr.write(`${line}\n`);
const STATUS: Record<string, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    say(usage());
    return 0;
  }
  if (options.listFaults) {
    for (const [name, what] of Object.entries(FAULTS)) say(`  ${name.padEnd(22)} ${what}`);
    return 0;
  }
  const folder = dataFolder();
  const language = options.language ?? terminalLanguage();
  const teller = new TerminalTeller(loadTexts(language), loadCatalogue(), say);
  try {
    if (options.reset) reset(folder);
  } catch (error) {
    const result = tellFailure(error, teller, folder);
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return 1;
  }
  return options.headless ? runHeadlessDemo(options, folder, teller) : runWindowDemo(options, folder, teller);
}

/** Signals take everything down; which one came is asked for afterwards. */
function obeySignals(cleanup: Cleanup): () => string | undefined {
  let stopped: string | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      stopped = signal;
      void cleanup.run().then(() => process.exit(STATUS[signal]));
    });
  }
  return () => stopped;
}

/** Before anything else is touched: a second start must not disturb the first one's readers. */
function takeTheDemo(folder: string, cleanup: Cleanup): void {
  const lock = lockInstallation(join(folder, 'running'));
  cleanup.add(async () => lock.release());
}

async function runWindowDemo(options: Options, folder: string, teller: TerminalTeller): Promise<number> {
  const cleanup = new Cleanup();
  const stopped = obeySignals(cleanup);
  let status = 1;
  try {
    takeTheDemo(folder, cleanup);
    status = await openWindow({ options, folder, say, cleanup });
  } catch (error) {
    if (isRunning(error) && (await showRunningWindow(folder, options))) {
      say('Kaika runs already; this is its window.');
      status = 0;
    } else if (stopped() === undefined) tellFailure(error, teller, folder);
  }
  await cleanup.run();
  return STATUS[stopped() ?? ''] ?? status;
}

function isRunning(error: unknown): boolean {
  return error instanceof KaikaError && error.code === 'station-already-running';
}

async function runHeadlessDemo(options: Options, folder: string, teller: TerminalTeller): Promise<number> {
  const cleanup = new Cleanup();
  const stopped = obeySignals(cleanup);
  let result = refusal(undefined, null, 0);
  try {
    takeTheDemo(folder, cleanup);
    result = await headless({ options, folder, teller, say, cleanup });
    teller.result(result);
  } catch (error) {
    // Taking things down under a running job makes it fail: that is not news.
    if (stopped() === undefined) result = tellFailure(error, teller, folder);
  }
  await cleanup.run();
  if (stopped() !== undefined) return STATUS[stopped() ?? ''] ?? 1;
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.outcome === 'complete' ? 0 : 1;
}

function tellFailure(error: unknown, teller: TerminalTeller, folder: string): HeadlessResult {
  const found = explainFailure(error, folder);
  if (found instanceof KaikaError) {
    teller.error(found.code, found.details);
    return refusal(found.code, null, 0);
  }
  say(`! ${found.message}`);
  return refusal(undefined, null, 0);
}

/** Throws the demo's data away, unless a station is using it. */
function reset(folder: string): void {
  const site = join(folder, 'demo');
  if (existsSync(site) && !isSite(site))
    throw new Error(`${site} is not a demo of Kaika’s; nothing was touched.`);
  const lock = lockInstallation(join(folder, 'running'));
  for (const name of ['demo', 'demo.making', 'fault-station'])
    rmSync(join(folder, name), { recursive: true, force: true });
  lock.release();
  say('The demo’s data are gone; the next run starts fresh.');
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof UsageError) {
    say(error.message);
    process.exitCode = 2;
  } else {
    say(`! ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
