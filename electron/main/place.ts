/** Where things are: the program's own files, and the installation's folder. */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { app } from 'electron';

interface Place {
  /** The installation's folder: station.json, the journal, logs, what the window keeps. `--station=FOLDER` names another. */
  readonly station: string;
  readonly resources: string;
  readonly renderer: string;
  readonly preload: string;
  readonly engine: string;
}

/** Call it before anything else: it also moves Chromium's own files to the station's folder, which it uses from then on. */
export function findPlace(): Place {
  const named = app.commandLine.getSwitchValue('station');
  const station = named === '' ? app.getPath('userData') : resolve(named);
  const chromium = join(station, 'chromium');
  mkdirSync(chromium, { recursive: true, mode: 0o700 });
  app.setPath('userData', chromium);
  return {
    station,
    resources: join(__dirname, 'resources'),
    renderer: join(__dirname, 'renderer'),
    preload: join(__dirname, 'preload.cjs'),
    engine: join(__dirname, 'engine.cjs'),
  };
}
