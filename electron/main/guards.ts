/**
 * What the window may ask of Chromium. What is not in these tables is refused; what is in them has a comment that says why it
 * is allowed.
 */
import { app, type Session, type WebContents } from 'electron';
import type { Log } from '../../app/station/ports.ts';
import { ORIGIN } from './app-protocol.ts';

/** Addresses that may be requested, whatever asks for them. */
const ALLOWED_REQUESTS: readonly string[] = [
  // The window's own files, out of the program.
  `${ORIGIN}/`,
];

/** Permissions. None: no camera, no location, no notifications, no clipboard to read, no devices, no full screen. */
const ALLOWED_PERMISSIONS: readonly string[] = [];

/** A proxy that is not there: what asks the network past `onBeforeRequest`, as WebRTC's own sockets do, reaches nobody. */
const NO_NETWORK = {
  mode: 'fixed_servers',
  proxyRules: 'socks5://127.0.0.1:1',
  proxyBypassRules: '<-loopback>',
} as const;

/** Guards a session before anything is loaded in it. */
export async function guardSession(session: Session, log: Log): Promise<void> {
  const refused = (what: string, detail: string) =>
    log('warn', 'refused', { step: what, detail: detail.slice(0, 200) });

  await session.setProxy(NO_NETWORK);
  session.webRequest.onBeforeRequest((details, callback) => {
    const allowed = ALLOWED_REQUESTS.some((start) => details.url.startsWith(start));
    if (!allowed) refused('request', details.url);
    callback({ cancel: !allowed });
  });
  session.setPermissionRequestHandler((_contents, permission, callback) => {
    const allowed = ALLOWED_PERMISSIONS.includes(permission);
    if (!allowed) refused('permission', permission);
    callback(allowed);
  });
  session.setPermissionCheckHandler((_contents, permission) => ALLOWED_PERMISSIONS.includes(permission));
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event, item) => {
    refused('download', item.getURL());
    event.preventDefault();
  });
  session.on('select-hid-device', (event, _details, callback) => {
    refused('device', 'hid');
    event.preventDefault();
    callback();
  });
  session.on('select-usb-device', (event, _details, callback) => {
    refused('device', 'usb');
    event.preventDefault();
    callback();
  });
  session.on('select-serial-port', (event, _ports, _contents, callback) => {
    refused('device', 'serial');
    event.preventDefault();
    callback('');
  });
}

/** Guards every page that is ever made: it cannot go to another address, open a window or hold another page. */
export function guardContents(log: Log): void {
  app.on('web-contents-created', (_event, contents) => guardPage(contents, log));
  app.on('select-client-certificate', (event, _contents, _url, _list, callback) => {
    event.preventDefault();
    callback();
  });
  app.on('login', (event) => event.preventDefault());
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault();
    callback(false);
  });
}

function guardPage(contents: WebContents, log: Log): void {
  const refused = (what: string, detail: string) =>
    log('warn', 'refused', { step: what, detail: detail.slice(0, 200) });
  // A policy that says "webrtc 'block'" Chromium only knows as an experiment, and complains of at each load. This it does: no UDP but through a
  // proxy, and the session's proxy is none.
  contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
  contents.setWindowOpenHandler(({ url }) => {
    refused('window', url);
    return { action: 'deny' };
  });
  contents.on('will-navigate', (event, url) => {
    refused('navigation', url);
    event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    refused('navigation', event.url);
    event.preventDefault();
  });
  contents.on('will-redirect', (event, url) => {
    refused('redirect', url);
    event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => {
    refused('webview', '');
    event.preventDefault();
  });
  contents.on('select-bluetooth-device', (event, _devices, callback) => {
    event.preventDefault();
    callback('');
  });
}
