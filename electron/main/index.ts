/** Main: one instance, one window, one engine. Everything that is decided about them is in the files beside this one. */
import { join } from 'node:path';
import { app, type BrowserWindow, Menu, nativeTheme, session } from 'electron';
import { catalogueIn } from '../../app/station/catalogue-folder.ts';
import { readStationConfig } from '../../app/station/config.ts';
import { refuseInspector } from '../../app/station/no-inspector.ts';
import { projections } from '../engine/projections.ts';
import { createAnswerer, runWith } from '../ipc-schema/answerer.ts';
import type { CatalogueView, Settings } from '../ipc-schema.ts';
import { openLogFile } from '../log-file.ts';
import { registerScheme, serveRenderer } from './app-protocol.ts';
import { EngineKeeper } from './engine-host.ts';
import { guardContents, guardSession } from './guards.ts';
import { mainHandlers } from './handlers.ts';
import { answerCalls } from './ipc.ts';
import { openKept } from './kept.ts';
import { isLanguage, languageFor } from './languages.ts';
import { closeOnce } from './leaving.ts';
import { Notifier } from './notifier.ts';
import { findPlace } from './place.ts';
import { refuseToBeDriven } from './start-guard.ts';
import { openWindow } from './window.ts';

refuseToBeDriven();
refuseInspector();
const place = findPlace();
const log = openLogFile(join(place.station, 'window.log'));
/** Exit status of `--show-running` where there is no window to show. */
const NONE_RUNS = 3;
let window: BrowserWindow | undefined;
const page = () => (window === undefined || window.isDestroyed() ? undefined : window.webContents);

process.on('uncaughtException', (error) => {
  log('error', 'main died', { detail: (error.stack ?? error.message).slice(0, 2000) });
  app.exit(1);
});
registerScheme();
// The window needs no graphics card, and with a bad driver of an old one it would stay blank.
app.disableHardwareAcceleration();

if (!app.requestSingleInstanceLock()) {
  // Another one runs. It hears of this start by `second-instance` and shows its window.
  app.quit();
} else if (app.commandLine.hasSwitch('show-running')) {
  app.exit(NONE_RUNS);
} else {
  app.on('second-instance', showWindow);
  void app.whenReady().then(run);
}

/** For a second start. Where our own window has just been closed, the program is started anew once it has ended. */
function showWindow(): void {
  if (window === undefined) return;
  if (window.isDestroyed()) {
    app.relaunch();
    return;
  }
  if (window.isMinimized()) window.restore();
  window.show();
  window.focus();
}

async function run(): Promise<void> {
  Menu.setApplicationMenu(
    process.platform === 'darwin'
      ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }])
      : null,
  );
  const kept = openKept(join(place.station, 'window.json'), systemLanguage());
  const language = askedLanguage();
  if (language !== undefined) kept.change({ settings: { ...kept.value.settings, language } });
  nativeTheme.themeSource = kept.value.settings.theme;

  // In memory only (a partition without `persist:`): nothing that a page knew of a customer stays on the disk.
  const pages = session.fromPartition('station');
  guardContents(log);
  await guardSession(pages, log);
  serveRenderer(pages, place.renderer);

  const notifier = new Notifier(page, log);
  const engine = new EngineKeeper(
    { program: place.engine, folder: place.station, resources: place.resources },
    (change) => notifier.tell(change),
    log,
  );
  const handlers = mainHandlers({ kept, notifier, engine, catalogue: catalogue() });
  const run = runWith(handlers, (name, input) => engine.ask(name, input));
  const answer = createAnswerer(run, (step, detail) => log('warn', 'request fault', { step, detail }));
  answerCalls(page, answer, log);
  engine.start();
  window = openWindow({ session: pages, preload: place.preload, kept, log });
  closeOnce({ window, engine, language: () => kept.value.settings.language });
}

/** The same catalogue that the engine reads, so that the window need not wait for the engine to show names. */
function catalogue(): CatalogueView {
  let folder = place.resources;
  try {
    folder = readStationConfig(place.station).catalogue ?? folder;
  } catch {
    // A configuration that cannot be read is reported by the engine, which reads it too.
  }
  try {
    return projections.catalogue(catalogueIn(folder));
  } catch (error) {
    log('error', 'catalogue not read', { detail: error instanceof Error ? error.message : '' });
    return { apps: [], cardTypes: [] };
  }
}

/** For the first start. */
function systemLanguage(): Settings['language'] {
  return languageFor(app.getPreferredSystemLanguages()[0] ?? app.getLocale());
}

/** `--language=TAG` with one of the languages there are, for this start and those after it. */
function askedLanguage(): Settings['language'] | undefined {
  const tag = app.commandLine.getSwitchValue('language');
  return isLanguage(tag) ? tag : undefined;
}
