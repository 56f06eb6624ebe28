// @ts-check
/** What a window needs of the machine beside packages: a screen, and a sandbox for Chromium. */
import { spawnSync } from 'node:child_process';
import { Failure } from './failure.mjs';
import { say } from './say.mjs';

/** @throws {Failure} where there is no screen to open a window on */
export function refuseWithoutDisplay({ env, platform } = process) {
  if (platform !== 'linux' || env.DISPLAY || env.WAYLAND_DISPLAY) return;
  throw new Failure(
    'There is no display to open a window on. To issue a card at this terminal instead:\n\n  npm start -- --headless\n\n' +
      'To open the window on a screen that only exists in memory (Debian packages xvfb and xauth):\n\n' +
      '  xvfb-run -a npm start\n',
  );
}

/**
 * The switches that Chromium needs for its sandbox here: none where it works. As root it refuses to start; and some
 * systems forbid the user namespaces that it is made of.
 * @returns {string[]}
 */
export function sandboxArguments() {
  if (process.platform !== 'linux') return [];
  const wayland = process.env.DISPLAY ? [] : ['--ozone-platform=wayland'];
  if (process.getuid?.() === 0) return ['--no-sandbox', ...wayland];
  // Chromium also writes the namespace's uid_map, which some systems forbid where they allow the namespace itself (Ubuntu 23.10 and later).
  const probe = spawnSync('unshare', ['--user', '--map-root-user', 'true'], { stdio: 'ignore' });
  if (probe.status === 0) return wayland;
  say(
    'This system forbids the user namespaces of Chromium’s sandbox, so the demonstration’s window goes without it.',
  );
  return ['--no-sandbox', ...wayland];
}
