// @ts-check
/** Debian's packages: which are missing, how large they are, and installing them where that is allowed. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fieldOf, paths, readJson, writeJson } from './copy.mjs';
import { explain, Failure } from './failure.mjs';
import { addonIsMissing } from './native.mjs';
import { inWords, say } from './say.mjs';
import { runTool } from './tool.mjs';

const TRY_AGAIN_MS = 24 * 3600 * 1000;

/** The packages that make a PC/SC service; without them the engine's own virtual reader serves. */
const FOR_READERS = ['libpcsclite1', 'pcscd', 'vsmartcard-vpcd', 'iproute2', 'util-linux'];
/** What Electron is linked with. */
const FOR_ELECTRON = [
  ...['libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libxss1', 'libxtst6', 'libdrm2'],
  ...['libatk-bridge2.0-0', 'libcups2'],
];
/** Since Debian 13 these are called by another name, with this at its end (the change to 64-bit time). */
const RENAMED = ['libgtk-3-0', 'libasound2', 'libatk-bridge2.0-0', 'libcups2'];
const NEWER = 't64';

/**
 * `required`: the command cannot run without.
 * @type {{ names: string[], required: boolean, wanted: (needs: import('./set-up.mjs').Needs) => boolean }[]}
 */
const GROUPS = [
  { names: ['softhsm2'], required: true, wanted: ({ native }) => native },
  {
    names: ['g++', 'make', 'python3'],
    required: true,
    wanted: ({ native }) => native && addonIsMissing(),
  },
  { names: FOR_READERS, required: false, wanted: ({ native }) => native },
  { names: FOR_ELECTRON, required: true, wanted: ({ window }) => window !== undefined },
  // A screen for tests, in memory.
  { names: ['xvfb', 'xauth'], required: true, wanted: ({ window }) => window === 'test' },
  // A database that tests start by themselves, and other people's card tools. Tests that lack them say so and are skipped.
  {
    names: ['postgresql', 'opensc', 'pcsc-tools'],
    required: false,
    wanted: ({ window }) => window === 'test',
  },
];

/** @typedef {{ required: string[], optional: string[] }} Missing names of packages */

const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
/** @param {string} command @param {string[]} args */
const ask = (command, args) => spawnSync(command, args, { encoding: 'utf8', env });

/** @param {string} name */
const onPath = (name) =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .some((folder) => folder !== '' && existsSync(join(folder, name)));
const isDebian = () => process.platform === 'linux' && onPath('apt-get') && onPath('dpkg-query');

/** @param {import('./set-up.mjs').Needs} needs @returns {Missing} */
function missingPackages(needs) {
  const groups = isDebian() ? GROUPS.filter(({ wanted }) => wanted(needs)) : [];
  const names = groups.flatMap((group) => group.names);
  if (names.length === 0) return { required: [], optional: [] };
  const both = [...names, ...RENAMED.map((name) => name + NEWER)];
  const { stdout } = ask('dpkg-query', ['--status', ...both]);
  const entries = (stdout ?? '').matchAll(/^Package: (\S+)\n(?:.+\n)*?Status: \S+ \S+ installed$/gm);
  const installed = new Set([...entries].map(([, name]) => name));
  const isThere = (/** @type {string} */ name) => installed.has(name) || installed.has(name + NEWER);
  const missing = (/** @type {boolean} */ required) =>
    groups
      .filter((group) => group.required === required)
      .flatMap((group) => group.names.filter((name) => !isThere(name)));
  return { required: missing(true), optional: missing(false) };
}

/** The newer name where this system's lists have it; ask when they are there. @param {string} name */
function nameHere(name) {
  if (!RENAMED.includes(name)) return name;
  return ask('apt-cache', ['show', '--no-all-versions', name + NEWER]).status === 0 ? name + NEWER : name;
}

/** @type {import('node:child_process').SpawnSyncOptions & { detached: boolean }} */
const APART = { stdio: 'ignore', detached: true };

/**
 * What stands before a command of root's: nothing for root, sudo where it asks for no password.
 * @returns {string[] | undefined} undefined: not allowed
 */
function privilege() {
  if (process.getuid?.() === 0) return [];
  // sudo remembers a password for the terminal it was given in. What is installed later runs in a session of its own,
  // where that does not count, so the question is asked in one too.
  const allowed = onPath('sudo') && spawnSync('sudo', ['-n', 'true'], APART).status === 0;
  return allowed ? ['sudo', '-n', 'env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive'] : undefined;
}

/** @param {string[]} optional */
function triedInVain(optional) {
  const tried = readJson(paths.debianTried);
  const names = fieldOf(tried, 'names');
  const isRecent = Date.now() - Number(fieldOf(tried, 'at') ?? 0) < TRY_AGAIN_MS;
  return isRecent && Array.isArray(names) && optional.every((name) => names.includes(name));
}

let told = false;
/**
 * At most once a start: readiness is asked for again after the lock was waited for.
 * @param {string[]} names
 */
function goOnWithout(names, more = '') {
  const instead = names.some((name) => FOR_READERS.includes(name))
    ? 'the built-in virtual reader serves'
    : 'tests that need them are skipped';
  if (!told) say(`Going on without ${names.join(', ')}; ${instead}.${more}`);
  told = true;
}

/** The one command that the person must run. @param {string[]} names */
function commandFor(names) {
  const apt = `apt-get update && apt-get install --yes --no-install-recommends ${names.map(nameHere).join(' ')}`;
  return onPath('sudo') ? `sudo sh -c '${apt}'` : `su -c '${apt}'`;
}

/**
 * Cheap: asked at every start, before anything is changed. Optional packages that cannot be had are no reason to set
 * up again, but are named.
 * @param {import('./set-up.mjs').Needs} needs
 * @throws {Failure} with the one command for the person, when something required is missing and we may not install it
 */
export function debianIsReady(needs) {
  const { required, optional } = missingPackages(needs);
  if (required.length + optional.length === 0) return true;
  const mayInstall = privilege() !== undefined;
  if (required.length > 0 && !mayInstall) {
    throw new Failure(
      'Debian packages are missing that only an administrator may install. Please run this, and then your command ' +
        `again:\n\n  ${commandFor([...required, ...optional])}\n`,
    );
  }
  if (required.length > 0 || (mayInstall && !triedInVain(optional))) return false;
  goOnWithout(optional, mayInstall ? '' : ` To have them: ${commandFor(optional)}`);
  return true;
}

/** What apt and dpkg say under LC_ALL=C, and what we say then. @type {import('./failure.mjs').Fault[]} */
const FAULTS = [
  {
    cause: 'full',
    pattern: /no space left on device|don't have enough free space/i,
    sentence: () => "The disk is full and Debian's packages did not fit: free some room in /var and /usr",
  },
  {
    cause: 'locked',
    pattern: /could not get lock|unable to acquire|is held by process/i,
    sentence: () => 'Another program is installing packages (apt is locked): let it finish',
  },
  {
    cause: 'network',
    pattern:
      /temporary failure resolving|could not resolve|could not connect|connection (failed|timed out)|unreachable/i,
    sentence: () => "Debian's package servers could not be reached for what is missing: check the network",
  },
  {
    cause: 'readonly',
    pattern: /read-only file system/i,
    sentence: () => "The system's folders cannot be written: install what is missing where that is allowed",
  },
];

/** Bytes that apt would fetch, undefined when it does not know the packages (yet). @param {string[]} names */
function downloadSize(names) {
  const options = ['--yes', '--no-install-recommends', '--print-uris', '-qq'];
  const { status, stdout } = ask('apt-get', ['install', ...options, ...names]);
  if (status !== 0) return undefined;
  return [...stdout.matchAll(/^'[^']+' \S+ (\d+)/gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/**
 * How apt and dpkg are run. Ctrl-C asks apt, and apt itself decides: while dpkg is at work it finishes first.
 * @param {import('./tool.mjs').Context} context
 */
function runner(context) {
  const prefix = privilege() ?? [];
  const askToStop = (/** @type {number} */ pid) => {
    say('Waiting for apt to stop.');
    if (prefix.length > 0) spawnSync('sudo', ['-n', 'kill', '-INT', String(pid)], { stdio: 'ignore' });
    else process.kill(pid, 'SIGINT');
  };
  return (/** @type {string} */ label, /** @type {string[]} */ ...words) => {
    const [command = '', ...args] = [...prefix, ...words];
    return runTool(command, args, context, { name: 'apt', label, cwd: '/', env, ask: askToStop });
  };
}

const APT = [
  ...['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'],
  ...['-o', 'APT::Color=0'],
];

/**
 * Brings dpkg and the lists into a state from which packages can be installed, whatever an earlier run left.
 * @param {ReturnType<typeof runner>} run
 */
async function makeReady(run) {
  say("Fetching Debian's package lists from the Debian mirror set up here: some 10 to 20 MB.");
  await run('Finishing what was begun earlier', 'dpkg', '--configure', '-a', '--force-confold');
  await run("Fetching Debian's package lists", ...APT, 'update');
}

/**
 * @param {string[]} wanted
 * @param {ReturnType<typeof runner>} run
 * @returns {Promise<string>} what apt said
 */
async function install(wanted, run) {
  const names = wanted.map(nameHere);
  const size = downloadSize(names);
  const large = size === undefined ? 'size unknown' : size === 0 ? 'already downloaded' : inWords(size);
  say(`Fetching Debian's packages ${names.join(', ')} from the Debian mirror set up here: ${large}.`);
  const options = ['--yes', '--no-install-recommends', '-o', 'Dpkg::Options::=--force-confold'];
  return (await run("Installing Debian's packages", ...APT, 'install', ...options, ...names)).output;
}

/**
 * Installs what is missing.
 * @param {import('./tool.mjs').Context} context
 * @param {import('./set-up.mjs').Needs} needs
 * @throws {Failure} when something required cannot be had
 * @throws {import('./failure.mjs').Interrupted}
 */
export async function installDebianPackages(context, needs) {
  if (debianIsReady(needs)) return;
  const { required, optional } = missingPackages(needs);
  const run = runner(context);
  await makeReady(run);
  let output = await install([...required, ...optional], run);
  // One that this system does not have must not keep the others away.
  if (missingPackages(needs).required.length > 0 && optional.length > 0)
    output = await install(required, run);
  const left = missingPackages(needs);
  const { sentence } = explain(
    FAULTS,
    output,
    `apt could not install ${[...left.required, ...left.optional].join(', ')}`,
  );
  if (left.required.length > 0) throw new Failure(`${sentence} and run the command again.`);
  if (left.optional.length > 0) {
    writeJson(paths.debianTried, { at: Date.now(), names: left.optional });
    say(`${sentence}.`);
    goOnWithout(left.optional);
  } else {
    rmSync(paths.debianTried, { force: true });
    say("Debian's packages are installed.");
  }
}

/** Where there is no apt the person sees to it; said once per set-up. */
export function tellOtherSystems() {
  if (isDebian()) return;
  say(
    'Kaika needs SoftHSM 2 (macOS: "brew install softhsm"; elsewhere your system\'s softhsm package, and pcscd for readers): ' +
      'if it is not there yet, install it now.',
  );
}
