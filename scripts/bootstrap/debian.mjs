/** Debian's packages: which are missing, how large they are, and installing them where that is allowed. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { paths, readJson, writeJson } from './copy.mjs';
import { aptCause, Failure, lastWords } from './failure.mjs';
import { addonIsMissing } from './native.mjs';
import { inWords, say } from './say.mjs';
import { runTool } from './tool.mjs';

const LISTS_DOWNLOAD = 'some 10 to 20 MB';
const TRY_AGAIN_MS = 24 * 3600 * 1000;

const native = (name, required) => ({ name, required, wanted: (needs) => needs.native });
/** `also`: what the package is called since Debian 13. */
const forWindow = (name, also) => ({
  name,
  also,
  required: () => true,
  wanted: (needs) => needs.window !== undefined,
});
const forScreen = (name) => ({ name, required: () => true, wanted: (needs) => needs.window === 'test' });
/** Tests that cannot have it say so and are skipped. */
const forTests = (name) => ({ name, required: () => false, wanted: (needs) => needs.window === 'test' });

/** `required`: the command cannot run without. The others give the virtual card a real PC/SC service. */
const PACKAGES = [
  native('softhsm2', () => true),
  native('g++', addonIsMissing),
  native('make', addonIsMissing),
  native('python3', addonIsMissing),
  native('libpcsclite1', () => false),
  native('pcscd', () => false),
  native('vsmartcard-vpcd', () => false),
  native('iproute2', () => false),
  native('util-linux', () => false),
  // What Electron is linked with.
  forWindow('libgtk-3-0', 'libgtk-3-0t64'),
  forWindow('libnss3'),
  forWindow('libasound2', 'libasound2t64'),
  forWindow('libgbm1'),
  forWindow('libxss1'),
  forWindow('libxtst6'),
  forWindow('libdrm2'),
  forWindow('libatk-bridge2.0-0', 'libatk-bridge2.0-0t64'),
  forWindow('libcups2', 'libcups2t64'),
  // A screen for tests.
  forScreen('xvfb'),
  forScreen('xauth'),
  // Only tests and benches start one, by themselves.
  forTests('postgresql'),
  // Card tools of other people, for test/conformance.
  forTests('opensc'),
  forTests('pcsc-tools'),
];
/** The optional ones that make a PC/SC service. */
const FOR_READERS = ['libpcsclite1', 'pcscd', 'vsmartcard-vpcd', 'iproute2', 'util-linux'];

const APT_OPTIONS = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3', '-o', 'APT::Color=0'];
const plain = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };

const onPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)));
const isDebian = () => process.platform === 'linux' && onPath('apt-get') && onPath('dpkg-query');

/** The newer name where this system's lists have it. */
function nameHere({ name, also }) {
  if (also === undefined) return name;
  const { status } = spawnSync('apt-cache', ['show', '--no-all-versions', also], {
    stdio: 'ignore',
    env: plain,
  });
  return status === 0 ? also : name;
}

/**
 * @param {import('./set-up.mjs').Needs} needs
 * @returns {{ required: string[], optional: string[] }} names of packages
 */
export function missingPackages(needs) {
  if (!isDebian()) return { required: [], optional: [] };
  const packages = PACKAGES.filter(({ wanted }) => wanted(needs));
  if (packages.length === 0) return { required: [], optional: [] };
  const names = packages.flatMap(({ name, also }) => (also === undefined ? [name] : [name, also]));
  const { stdout } = spawnSync('dpkg-query', ['--status', ...names], { encoding: 'utf8', env: plain });
  const installed = new Set(
    [...(stdout ?? '').matchAll(/^Package: (\S+)\n(?:.+\n)*?Status: \S+ \S+ installed$/gm)].map(
      ([, name]) => name,
    ),
  );
  const missing = packages.filter(({ name, also }) => !installed.has(name) && !installed.has(also));
  return {
    required: missing.filter(({ required }) => required()).map(nameHere),
    optional: missing.filter(({ required }) => !required()).map(nameHere),
  };
}

/** What stands before a command of root's: nothing for root, sudo where it asks for nothing, undefined: not allowed. */
function privilege() {
  if (process.getuid?.() === 0) return [];
  if (!onPath('sudo')) return undefined;
  // In a session of its own, like the command later: a password given in this terminal does not count there.
  const allowed = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore', detached: true }).status === 0;
  return allowed ? ['sudo', '-n'] : undefined;
}

const triedInVain = ({ optional }) => {
  const tried = readJson(paths.debianTried);
  return (
    tried !== undefined &&
    Date.now() - tried.at < TRY_AGAIN_MS &&
    optional.every((name) => tried.names.includes(name))
  );
};

let told = false;
/** At most once a start: readiness is asked for again after the lock was waited for. */
function goOnWithout(names, more = '') {
  const instead = names.some((name) => FOR_READERS.includes(name))
    ? 'the built-in virtual reader serves'
    : 'tests that need them are skipped';
  if (!told) say(`Going on without ${names.join(', ')}; ${instead}.${more}`);
  told = true;
}

/**
 * Cheap: asked at every start, before anything is changed. Optional packages that cannot be had are no reason to set
 * up again, but are named.
 * @throws {Failure} with the one command for the person, when something required is missing and we may not install it
 */
export function debianIsReady(needs) {
  const missing = missingPackages(needs);
  if (missing.required.length + missing.optional.length === 0) return true;
  if (privilege() === undefined) {
    if (missing.required.length > 0) throw askThePerson(missing);
    goOnWithout(missing.optional, ` To have them: ${commandFor(missing.optional)}`);
    return true;
  }
  if (missing.required.length > 0 || !triedInVain(missing)) return false;
  goOnWithout(missing.optional);
  return true;
}

/** The one command that the person must run. */
function commandFor(names) {
  const apt = `apt-get update && apt-get install --yes --no-install-recommends ${names.join(' ')}`;
  return onPath('sudo') ? `sudo sh -c '${apt}'` : `su -c '${apt}'`;
}

function askThePerson({ required, optional }) {
  return new Failure(
    'Debian packages are missing that only an administrator may install. Please run this, and then your command ' +
      `again:\n\n  ${commandFor([...required, ...optional])}\n`,
  );
}

/** Bytes that apt would fetch, undefined when it does not know the packages (yet). */
function downloadSize(names) {
  const { status, stdout } = spawnSync(
    'apt-get',
    ['install', '--yes', '--no-install-recommends', '--print-uris', '-qq', ...names],
    { encoding: 'utf8', env: plain },
  );
  if (status !== 0) return undefined;
  return [...stdout.matchAll(/^'[^']+' \S+ (\d+)/gm)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

function failureOf(cause, result, names, log) {
  const needs = `Debian's packages ${names.join(', ')}`;
  switch (cause) {
    case 'full':
      return `The disk is full: ${needs} did not fit; free some room in /var and /usr and run the command again.`;
    case 'locked':
      return `Another program is installing packages (apt is locked): let it finish and run the command again.`;
    case 'network':
      return `Debian's package servers could not be reached for ${names.join(', ')}: check the network and run the command again.`;
    case 'readonly':
      return `The system's folders cannot be written, so ${needs} cannot be installed: install them where that is allowed.`;
    default:
      return (
        `apt could not install ${names.join(', ')} (${lastWords(result.output)}): run the command again; ` +
        `everything that apt said is in ${log.path}.`
      );
  }
}

/** Ctrl-C asks apt, and apt itself decides: while dpkg is at work it finishes first. */
function tools({ log, lock }, prefix) {
  const [command, ...args] = [
    ...prefix,
    ...(prefix.length > 0 ? ['env', 'LC_ALL=C', 'DEBIAN_FRONTEND=noninteractive'] : []),
  ];
  const askAsRoot = (pid) => {
    say('Waiting for apt to stop.');
    if (prefix.length > 0) spawnSync('sudo', ['-n', 'kill', '-INT', String(pid)], { stdio: 'ignore' });
    else process.kill(pid, 'SIGINT');
  };
  const options = { name: 'apt', cwd: '/', env: plain, mayBeEnded: false, ask: askAsRoot, log, lock };
  return (label, words) => {
    const line = command ? [command, ...args, ...words] : words;
    return runTool(line[0], line.slice(1), { ...options, label });
  };
}

async function install(names, run) {
  const apt = (label, ...words) => run(label, ['apt-get', ...APT_OPTIONS, ...words]);
  const repairs = {
    lists: () => {
      say(`Fetching Debian's package lists from the Debian mirror set up here: ${LISTS_DOWNLOAD}.`);
      return apt("Fetching Debian's package lists", 'update', '-q');
    },
    interrupted: () => {
      say('An earlier installation of Debian packages was cut short; finishing it.');
      return run('Finishing', ['dpkg', '--configure', '-a', '--force-confold']);
    },
  };
  let size = downloadSize(names);
  const done = new Set();
  if (size === undefined) {
    done.add('lists');
    await repairs.lists();
    size = downloadSize(names);
  }
  const large = size === undefined ? 'size unknown' : size === 0 ? 'already downloaded' : inWords(size);
  say(`Fetching Debian's packages ${names.join(', ')} from the Debian mirror set up here: ${large}.`);
  for (;;) {
    const result = await apt(
      "Installing Debian's packages",
      ...[
        'install',
        '--yes',
        '-q',
        '--no-install-recommends',
        '-o',
        'Dpkg::Options::=--force-confold',
        ...names,
      ],
    );
    const cause = result.status === 0 ? undefined : aptCause(result.output);
    if (cause === undefined || done.has(cause) || !repairs[cause]) return { result, cause };
    done.add(cause);
    await repairs[cause]();
  }
}

/**
 * Installs what is missing.
 * @throws {Failure} when something required cannot be had
 * @throws {Interrupted}
 */
export async function installDebianPackages(context, needs) {
  if (debianIsReady(needs)) return;
  const missing = missingPackages(needs);
  const prefix = privilege();
  const run = tools(context, prefix);
  const wantedNames = [...missing.required, ...missing.optional];
  let { result, cause } = await install(wantedNames, run);
  if (cause !== undefined && missing.required.length > 0 && missing.optional.length > 0) {
    // One that this system does not have must not keep the others away.
    ({ result, cause } = await install(missing.required, run));
  }
  const left = missingPackages(needs);
  if (left.required.length > 0) {
    throw new Failure(failureOf(cause ?? 'other', result, left.required, context.log));
  }
  if (left.optional.length > 0) {
    writeJson(paths.debianTried, { at: Date.now(), names: left.optional });
    say(failureOf(cause ?? 'other', result, left.optional, context.log));
    goOnWithout(left.optional);
  } else {
    rmSync(paths.debianTried, { force: true });
    say("Debian's packages are installed.");
  }
}

/** Where there is no apt: what to have, in a sentence, once per set-up. */
export function tellOtherSystems() {
  if (isDebian()) return;
  const soft =
    {
      darwin: ['/opt/homebrew/lib/softhsm/libsofthsm2.so', '/usr/local/lib/softhsm/libsofthsm2.so'],
      win32: ['C:\\SoftHSM2\\lib\\softhsm2-x64.dll'],
      linux: [
        '/usr/lib/softhsm/libsofthsm2.so',
        '/usr/lib64/softhsm/libsofthsm2.so',
        '/usr/lib64/pkcs11/libsofthsm2.so',
      ],
    }[process.platform] ?? [];
  if (soft.some((path) => existsSync(path))) return;
  const how =
    {
      darwin: 'run "brew install softhsm"',
      win32: 'install SoftHSM 2 for Windows',
    }[process.platform] ?? "install your system's softhsm package (and pcscd for readers)";
  say(`The key server needs SoftHSM 2, which was not found in its usual place: ${how}. Going on without it.`);
}
