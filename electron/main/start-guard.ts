/**
 * What a packaged station may be started with: the switches that are listed, and no others. Chromium knows hundreds; one of them lets anybody on
 * the machine drive the window (`--remote-debugging-port`), others load code into it, send its requests elsewhere or write down what it does.
 */
import { app } from 'electron';

/** Ended because of how it was started; as the C library's EX_USAGE. */
const STATUS = 64;

const ALLOWED: readonly string[] = [
  // Our own.
  ...['station', 'language', 'show-running'],
  // What desktops and installers add; an AppImage starts itself without the sandbox where the system forbids what that is made of.
  ...['no-sandbox', 'ozone-platform', 'ozone-platform-hint', 'force-device-scale-factor', 'lang', 'updated'],
  // Windows adds them where a second start is handed on to the first.
  ...['allow-file-access-from-files', 'original-process-start-time'],
];
/** Variables that Electron takes orders from. */
const ORDERS = /^ELECTRON_/;
const HARMLESS: readonly string[] = ['ELECTRON_OZONE_PLATFORM_HINT', 'ELECTRON_NO_ATTACH_CONSOLE'];

/** Ends the program, before anything of it is open, where it is told what it must not do. Only where it is packaged: developers debug. */
export function refuseToBeDriven(): void {
  if (!app.isPackaged) return;
  const refused = [
    ...switchesIn(process.argv.slice(1), process.platform).filter((name) => !ALLOWED.includes(name)),
    ...Object.keys(process.env).filter((name) => ORDERS.test(name) && !HARMLESS.includes(name)),
  ];
  if (refused.length === 0) return;
  process.stderr.write(`Kaika is not started with ${[...new Set(refused)].join(', ')}.\n`);
  // At once: Chromium acts upon its switches as soon as this file has been read.
  process.exit(STATUS);
}

/** Names of the switches in a command line, as Chromium finds them: behind one dash or two, on Windows also a slash, up to a lone `--`. */
export function switchesIn(args: readonly string[], platform: NodeJS.Platform): string[] {
  const end = args.indexOf('--');
  const prefix = platform === 'win32' ? /^(?:--|-|\/)(?=.)/ : /^--?(?=.)/;
  return (end < 0 ? args : args.slice(0, end))
    .filter((arg) => prefix.test(arg))
    .map((arg) => arg.replace(prefix, '').replace(/=.*$/s, '').toLowerCase());
}
