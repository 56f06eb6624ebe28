/** The one window: where it stands, how large its text is, and that it comes back when its page dies. */
import { BrowserWindow, nativeTheme, type Session, screen } from 'electron';
import type { Log } from '../../app/station/ports.ts';
import { START_PAGE } from './app-protocol.ts';
import { type Keeper, ZOOMS } from './kept.ts';

const SIZE = { width: 1180, height: 800 };
const SMALLEST = { minWidth: 720, minHeight: 540 };
/** Shown until the page has painted. As the page's own background (renderer/styles/tokens.css), or the window would flash. */
const BACKGROUND = { light: '#f5f7f9', dark: '#14181d' };

interface WindowPlace {
  readonly session: Session;
  readonly preload: string;
  readonly kept: Keeper;
  readonly log: Log;
}

/** Opens the window; it shows when there is something to see. */
export function openWindow({ session, preload, kept, log }: WindowPlace): BrowserWindow {
  const window = new BrowserWindow({
    ...SIZE,
    ...SMALLEST,
    ...placeOf(kept),
    show: false,
    title: 'Kaika',
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      session,
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      experimentalFeatures: false,
      navigateOnDragDrop: false,
      webviewTag: false,
      spellcheck: false,
      // The sound at the end of a job must be heard also when nobody has touched the window since it opened.
      autoplayPolicy: 'no-user-gesture-required',
      // Progress goes on behind another window.
      backgroundThrottling: false,
    },
  });
  if (kept.value.window?.maximized === true) window.maximize();
  window.once('ready-to-show', () => window.show());
  keepPlace(window, kept);
  keepZoom(window, kept);
  window.webContents.on('render-process-gone', (_event, details) => {
    log('error', 'page died', { code: details.reason });
    if (details.reason !== 'clean-exit') setTimeout(() => load(window, log), 250);
  });
  comeBack(window, log);
  load(window, log);
  return window;
}

function load(window: BrowserWindow, log: Log): void {
  if (window.isDestroyed()) return;
  window.loadURL(START_PAGE).catch((error: unknown) => {
    log('error', 'page not loaded', { detail: error instanceof Error ? error.message : '' });
  });
}

/**
 * An empty page (`about:blank` and its like) is gone to without any of the events by which other addresses are refused: the window then shows
 * its own page again.
 */
function comeBack(window: BrowserWindow, log: Log): void {
  window.webContents.on('did-navigate', (_event, url) => {
    if (url === START_PAGE) return;
    log('warn', 'refused', { step: 'navigation', detail: url.slice(0, 200) });
    load(window, log);
  });
}

/** Where the window was last. Only its size, if that place is on no screen any more: it could not be reached there. */
function placeOf(kept: Keeper): Partial<Electron.Rectangle> {
  const { window } = kept.value;
  if (window === undefined) return {};
  const { x, y, width, height } = window;
  const { workArea } = screen.getDisplayMatching({ x, y, width, height });
  const visible =
    x < workArea.x + workArea.width - 50 &&
    x + width > workArea.x + 50 &&
    y >= workArea.y &&
    y < workArea.y + workArea.height - 50;
  return visible ? { x, y, width, height } : { width, height };
}

function keepPlace(window: BrowserWindow, kept: Keeper): void {
  let timer: NodeJS.Timeout | undefined;
  const keep = () => {
    if (!window.isDestroyed())
      kept.change({ window: { ...window.getNormalBounds(), maximized: window.isMaximized() } });
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 500);
  };
  window.on('resize', soon);
  window.on('move', soon);
  window.on('maximize', soon);
  window.on('unmaximize', soon);
  window.on('close', () => {
    clearTimeout(timer);
    keep();
  });
}

/** Ctrl (on macOS Cmd) with +, - and 0. */
function keepZoom(window: BrowserWindow, kept: Keeper): void {
  const { webContents } = window;
  const set = (zoom: number) => {
    webContents.setZoomFactor(zoom);
    if (zoom !== kept.value.zoom) kept.change({ zoom });
  };
  webContents.on('did-finish-load', () => set(kept.value.zoom));
  webContents.on('before-input-event', (event, input) => {
    if (input.type !== 'keyDown' || !(process.platform === 'darwin' ? input.meta : input.control)) return;
    const next = zoomAfter(kept.value.zoom, input.key);
    if (next === undefined) return;
    event.preventDefault();
    set(next);
  });
}

function zoomAfter(zoom: number, key: string): number | undefined {
  switch (key) {
    case '+':
    case '=':
      return ZOOMS.find((step) => step > zoom) ?? zoom;
    case '-':
      return ZOOMS.findLast((step) => step < zoom) ?? zoom;
    case '0':
      return 1;
    default:
      return undefined;
  }
}
