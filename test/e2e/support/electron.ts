/** The Electron that stories run in, the app that it runs, and the environment that it gets. */
import { fileURLToPath } from 'node:url';
import { _electron, type ElectronApplication } from 'playwright';
import { findElectron } from '../../../scripts/electron/find.mjs';
import { LIMIT } from '../../support/limit.ts';
import { commandOf, isAlive } from './processes.ts';

export const APP = fileURLToPath(new URL('../../../out/app/', import.meta.url));

/** The Electron that is there. @throws Error */
export function theElectron() {
  const electron = findElectron();
  if (electron === undefined) throw new Error('there is no Electron: run the tests with npm test');
  return electron;
}

/** The tests' environment without what only test runners and other Electrons want. */
export function environment(): Record<string, string> {
  const unwanted = /^(ELECTRON_|NODE_|VITEST|npm_)/;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || unwanted.test(name) ? [] : [[name, value]],
    ),
  );
}

/** Launches that may hang one after another; each has its part of one launch's limit. */
const ATTEMPTS = 4;

/**
 * On a busy machine a launch hangs now and then: Playwright loses an event while it attaches, though the program is up with its
 * page loaded. Such an attempt is ended and made again; evidence.json says how often. Two in a row were seen.
 */
export async function launch(
  options: NonNullable<Parameters<typeof _electron.launch>[0]> & { executablePath: string },
): Promise<{ app: ElectronApplication; attempts: number }> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      const app = await _electron.launch({ ...options, timeout: LIMIT / ATTEMPTS });
      app.context().setDefaultTimeout(LIMIT);
      return { app, attempts };
    } catch (error) {
      const said = String(error);
      const hangs = said.includes('Timeout') && said.includes('DevTools listening');
      if (!hangs || attempts === ATTEMPTS) throw error;
      const pid = Number(/pid=(\d+)/.exec(said)?.[1]);
      if (pid > 0 && isAlive(pid) && commandOf(pid).startsWith(options.executablePath))
        process.kill(pid, 'SIGKILL');
    }
  }
}
