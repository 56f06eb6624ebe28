/**
 * npm ci, as far as set-up can tell: fills node_modules, or fails in one of npm's own ways. npm pack: another package than the
 * one that was asked for, under its name.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { args, end, file, print, takeMode } from './state.mjs';

const mode = takeMode();
if (args.includes('pack')) {
  const [, scope, name, version] = /^@(.+)\/(.+)@(.+)$/.exec(args[args.indexOf('pack') + 1]);
  const into = args[args.indexOf('--pack-destination') + 1];
  writeFileSync(join(into, `${scope}-${name}-${version}.tgz`), 'something else');
  process.exit(0);
}
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules/left', { recursive: true });

switch (mode) {
  case 'full':
    end(1, 'npm error code ENOSPC', 'npm error nospc ENOSPC: no space left on device, write');
    break;
  case 'full but content':
    writeFileSync('node_modules/left/package.json', '{}');
    end(
      0,
      'npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write',
      'added 450 packages in 17s',
    );
    break;
  case 'damaged':
    end(1, 'npm error code EINTEGRITY', 'npm error sha512-AAAA integrity checksum failed when using sha512');
    break;
  case 'no network':
    end(1, 'npm error code ENOTFOUND', 'npm error network request to the registry failed');
    break;
  case 'not writable':
    end(1, 'npm error code EACCES', "npm error Error: EACCES: permission denied, mkdir '/x/_cacache'");
    break;
  case 'out of step':
    end(1, 'npm error code EUSAGE', 'npm error `npm ci` can only install packages when they are in sync.');
    break;
  case 'hangs': {
    // Deaf to polite signals, with a child of its own, as npm is while it unpacks.
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
    appendFileSync(file('pids'), `${process.pid}\n${child.pid}\n`);
    setInterval(() => {}, 1000);
    break;
  }
  case 'slow':
    setTimeout(() => writeFileSync('node_modules/left/package.json', '{}'), 700);
    break;
  default:
    print('added 1 package');
    writeFileSync('node_modules/left/package.json', '{}');
}
