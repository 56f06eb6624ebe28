/**
 * A copy of Kaika that has the real scripts/ and nothing else of it, in a folder with a space in its name, with
 * stand-ins for npm, apt and sudo in front of it. What the stand-ins are to do, and what they were asked, is in files.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach } from 'vitest';

const scripts = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'scripts');
const standIns = join(dirname(fileURLToPath(import.meta.url)), 'stand-ins');

const DEBIAN = [
  'softhsm2',
  'g++',
  'make',
  'python3',
  'libpcsclite1',
  'pcscd',
  'vsmartcard-vpcd',
  'iproute2',
  'util-linux',
  'libgtk-3-0',
  'libnss3',
  'libasound2',
  'libgbm1',
  'libxss1',
  'libxtst6',
  'libdrm2',
  'libatk-bridge2.0-0',
  'libcups2',
  'xvfb',
  'xauth',
];

/** How a start ended and what it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A start under way. */
export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the text has been written to stderr or stdout; rejects when the start ends without it. */
  said(text: string): Promise<void>;
}

export interface StartOptions {
  /** What process.getuid says; 0 by default. */
  readonly user?: number;
  readonly env?: Record<string, string>;
  /** What process.versions.node says. */
  readonly nodeVersion?: string;
}

export class FakeCopy {
  readonly base = mkdtempSync(join(tmpdir(), 'kaika fake '));
  readonly root = join(this.base, 'a copy');
  private readonly bin = join(this.base, 'bin');
  private readonly electron = join(this.base, 'an electron');
  private readonly started = new Set<ChildProcess>();

  constructor() {
    mkdirSync(this.bin, { recursive: true });
    cpSync(join(scripts, 'launch.mjs'), join(this.root, 'scripts', 'launch.mjs'));
    for (const folder of ['bootstrap', 'electron']) {
      cpSync(join(scripts, folder), join(this.root, 'scripts', folder), { recursive: true });
    }
    this.write('package.json', JSON.stringify({ type: 'module', dependencies: { left: '1.0.0' } }));
    this.write(
      'package-lock.json',
      JSON.stringify({ packages: { '': {}, 'node_modules/left': { version: '1.0.0' } } }),
    );
    this.program(`console.log('the program', process.argv.slice(2).join(' '));`);
    for (const tool of ['npm', 'apt-get', 'apt-cache', 'dpkg-query', 'dpkg']) this.addTool(tool);
    writeFileSync(this.electron, '');
    writeFileSync(this.stateFile('installed'), DEBIAN.join('\n'));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** Puts the packages there, as somebody installs them by hand. */
  install(): void {
    this.write('node_modules/left/package.json', '{}');
    this.write('node_modules/.package-lock.json', this.read('package-lock.json'));
  }

  link(path: string, target: string): void {
    symlinkSync(join(this.root, target), join(this.root, path));
  }

  /** What `npm run server` and `npm start` run. */
  program(code: string): void {
    this.write('app/keyserver/main.ts', code);
    this.write('app/demo/main.ts', code);
  }

  /** Puts a stand-in on the PATH. */
  addTool(name: string): void {
    const shell = join(standIns, `${name}.sh`);
    const run = existsSync(shell)
      ? `/bin/sh "${shell}"`
      : `"${process.execPath}" "${join(standIns, `${name}.mjs`)}"`;
    this.addScript(name, `exec ${run} "${this.base}" "$@"`);
  }

  /** Puts a shell script on the PATH. */
  addScript(name: string, code: string): void {
    const path = join(this.bin, name);
    writeFileSync(path, `#!/bin/sh\n${code}\n`);
    chmodSync(path, 0o755);
  }

  /** What a stand-in is to do: one word for each of its next calls, the last one for all after it. */
  mode(tool: string, ...words: readonly string[]): void {
    writeFileSync(this.stateFile(`${tool}.mode`), words.join('\n'));
  }

  /** Takes Debian packages away. */
  uninstall(...names: readonly string[]): void {
    writeFileSync(this.stateFile('installed'), DEBIAN.filter((name) => !names.includes(name)).join('\n'));
  }

  /** Every call of a stand-in so far, as its command line. */
  calls(tool: string): string[] {
    const path = this.stateFile('calls');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(`${tool} `) || line === tool);
  }

  /** A folder beside the copy, for what is kept outside it. */
  beside(name: string): string {
    const path = join(this.base, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  start(args: readonly string[], { user = 0, env = {}, nodeVersion }: StartOptions = {}): Started {
    const preload = join(this.base, `preload-${user}.mjs`);
    const version = nodeVersion
      ? `Object.defineProperty(process, 'versions', { value: { node: '${nodeVersion}' } });`
      : '';
    writeFileSync(preload, `process.getuid = () => ${user}; ${version}\n`);
    const child = spawn(
      process.execPath,
      ['--import', pathToFileURL(preload).href, join(this.root, 'scripts', 'launch.mjs'), ...args],
      {
        cwd: this.base,
        env: { PATH: this.bin, HOME: this.base, TMPDIR: this.base, KAIKA_ELECTRON: this.electron, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.started.add(child);
    let stdout = '';
    let stderr = '';
    const watchers = new Set<() => void>();
    const heard = (): void => {
      for (const watcher of watchers) watcher();
    };
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      heard();
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      heard();
    });
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (status) => {
        this.started.delete(child);
        resolve({ status, stdout, stderr });
      });
    });
    const said = (text: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const watcher = (): void => {
          if (!stdout.includes(text) && !stderr.includes(text)) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
        watcher();
        void ended.then(() => reject(new Error(`never said "${text}" but: ${stdout}${stderr}`)));
      });
    return { child, ended, said };
  }

  run(args: readonly string[], options?: StartOptions): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** Process ids that a stand-in or program wrote down, one a line. */
  pids(): number[] {
    const path = this.stateFile('pids');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8').trim().split('\n').map(Number);
  }

  /** Code with which a program writes its own id down. */
  get notesItsPid(): string {
    return `(await import('node:fs')).appendFileSync(${JSON.stringify(this.stateFile('pids'))}, process.pid + '\\n');`;
  }

  /** Ends what is left and removes the folder. */
  async dispose(): Promise<void> {
    for (const child of this.started) child.kill('SIGKILL');
    for (const pid of this.pids()) {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    }
    rmSync(this.base, { recursive: true, force: true, maxRetries: 5 });
  }

  private stateFile(name: string): string {
    return join(this.base, name);
  }
}

/** A new copy for each test, with everything in it that `prepare` puts there, and gone after it. */
export function freshCopy(prepare: (copy: FakeCopy) => void = () => undefined): FakeCopy {
  let copy: FakeCopy | undefined;
  beforeEach(() => {
    copy = new FakeCopy();
    prepare(copy);
  });
  afterEach(() => copy?.dispose());
  return new Proxy<FakeCopy>(Object.create(FakeCopy.prototype), {
    get(_target, name) {
      if (copy === undefined) throw new Error(`${String(name)} is asked for before the tests run`);
      return Reflect.get(copy, name, copy);
    },
  });
}

/** Whether a process is there and more than a name waiting to be reaped. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !'ZX'.includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'X');
  } catch {
    return false;
  }
}
