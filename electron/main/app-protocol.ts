/** `app://station/`: the window's files, and the only address that it may load. */
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { protocol, type Session } from 'electron';

const SCHEME = 'app';
export const ORIGIN = `${SCHEME}://station`;
export const START_PAGE = `${ORIGIN}/index.html`;

/** Stands in index.html, and is replaced by a new nonce each time the page is loaded. */
const NONCE_MARK = '__CSP_NONCE__';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
};

/**
 * Nothing is allowed but what is listed. No 'unsafe-inline' and no 'unsafe-eval': the few style rules that React Aria adds
 * while the page runs carry the nonce.
 */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "font-src 'self'",
    "img-src 'self'",
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    // What is not named is off for the page and every frame in it: no dialog boxes and no printing (both would hold the page until
    // somebody answers), no windows, no downloads, no going elsewhere. Forms only tell the page that they were sent.
    'sandbox allow-scripts allow-same-origin allow-forms',
  ].join('; ');
}

/**
 * Features of Chromium that the page has no use for. The session's handlers (guards.ts) refuse them too, but only when Chromium
 * asks; this header keeps the page from reaching them at all, so that no fault in one of them can take the program down.
 */
const REFUSED_FEATURES = [
  ...['accelerometer', 'ambient-light-sensor', 'bluetooth', 'camera', 'clipboard-read', 'clipboard-write'],
  ...[
    'display-capture',
    'encrypted-media',
    'fullscreen',
    'geolocation',
    'gyroscope',
    'hid',
    'idle-detection',
  ],
  ...['local-fonts', 'magnetometer', 'microphone', 'midi', 'payment', 'picture-in-picture'],
  ...[
    'publickey-credentials-get',
    'screen-wake-lock',
    'serial',
    'storage-access',
    'usb',
    'window-management',
  ],
  'xr-spatial-tracking',
];
const PERMISSIONS_POLICY = REFUSED_FEATURES.map((feature) => `${feature}=()`).join(', ');

/** Must run before the app is ready, or Electron refuses it. The privileges for fetch and for bypassing the policy are left out. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges: { standard: true, secure: true } }]);
}

/** Serves the files that are in `folder` now by their exact names, so that no address leads out of it; others are not found. */
export function serveRenderer(session: Session, folder: string): void {
  const files = new Map(filesIn(folder).map((name) => [`/${name}`, join(folder, name)]));
  session.protocol.handle(SCHEME, async (request) => {
    const { host, pathname } = new URL(request.url);
    const file = host === 'station' && request.method === 'GET' ? files.get(pathname) : undefined;
    const type = TYPES[extname(pathname)];
    if (file === undefined || type === undefined) return new Response(null, { status: 404 });
    const content = await readFile(file);
    const nonce = randomBytes(16).toString('base64');
    const body = extname(file) === '.html' ? content.toString('utf8').replaceAll(NONCE_MARK, nonce) : content;
    return new Response(body, {
      headers: {
        'content-type': type,
        'content-security-policy': contentSecurityPolicy(nonce),
        'permissions-policy': PERMISSIONS_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'x-dns-prefetch-control': 'off',
        'cache-control': 'no-store',
      },
    });
  });
}

/** Files at any depth below a folder, by their paths from there, with slashes as addresses have them. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
}
