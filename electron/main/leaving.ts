/**
 * How the program ends. Closing the window while a card is being worked on asks first; a signal (SIGTERM and its like) does not.
 * Then the engine finishes the commands that are running, and ends. Either way the work is in the journal and goes on later.
 */
import { app, type BrowserWindow, dialog } from 'electron';
import type { Settings, StationView } from '../ipc-schema.ts';
import type { EngineHost } from './engine-host.ts';
import { wordsIn } from './languages.ts';

const ENGINE_WAIT_MS = 2_000;

interface Leaving {
  readonly window: BrowserWindow;
  readonly engine: EngineHost;
  readonly language: () => Settings['language'];
}

/** Arranges the end of the program. */
export function closeOnce({ window, engine, language }: Leaving): void {
  let mayClose = false;
  let asking = false;
  let engineEnded = false;

  const closeIfWanted = async () => {
    asking = true;
    const station = await Promise.race([engine.show(), unanswered()]);
    mayClose = !isWorking(station) || (await wantsToLeave(window, language()));
    asking = false;
    if (mayClose) window.close();
  };
  window.on('close', (event) => {
    if (mayClose) return;
    event.preventDefault();
    if (!asking) void closeIfWanted();
  });
  // The system ends the session: there is no time to ask.
  window.on('session-end', () => {
    mayClose = true;
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      mayClose = true;
      app.quit();
    });
  }
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', (event) => {
    if (engineEnded) return;
    event.preventDefault();
    void engine.close().then(() => {
      engineEnded = true;
      // Later and not within this event: this quit was just cancelled, and Electron ignores another one until that is over.
      setImmediate(() => app.quit());
    });
  });
}

/** An engine that hangs must not keep the window open. */
function unanswered(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), ENGINE_WAIT_MS));
}

/** Whether commands run on a card at this moment. */
function isWorking(station: StationView | undefined): boolean {
  return station?.jobs.some((job) => job.state.kind === 'working') === true;
}

/** Asks the person at the window. */
async function wantsToLeave(window: BrowserWindow, language: Settings['language']): Promise<boolean> {
  const t = wordsIn(language);
  const { response } = await dialog.showMessageBox(window, {
    type: 'warning',
    title: 'Kaika',
    message: t('leave.question'),
    detail: t('leave.detail'),
    buttons: [t('leave.stay'), t('leave.close')],
    defaultId: 0,
    cancelId: 0,
    noLink: true,
  });
  return response === 1;
}
