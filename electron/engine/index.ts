/**
 * The engine in a process of its own (Electron's utilityProcess): when a reader's driver crashes, this process ends and the
 * window stays. Main starts it again, and it goes on with the jobs, which are on disk.
 */
import { join } from 'node:path';
import { type ErrorCode, KaikaError } from '../../app/protocol/errors.ts';
import { StationConfigError } from '../../app/station/config.ts';
import { refuseInspector } from '../../app/station/no-inspector.ts';
import { openStation } from '../../app/station/open-station.ts';
import { createAnswerer, runWith } from '../ipc-schema/answerer.ts';
import type { StationView } from '../ipc-schema.ts';
import { openLogFile } from '../log-file.ts';
import { engineHandlers } from './handlers.ts';
import { type FromEngine, type ToEngine, toEngineSchema } from './messages.ts';
import { projections } from './projections.ts';

/** An open station, as main's messages need it. */
interface Opened {
  show(): StationView;
  ask(message: Extract<ToEngine, { do: 'ask' }>): Promise<FromEngine>;
  close(): Promise<void>;
}

refuseInspector();
const port = process.parentPort;
const say = (message: FromEngine) => port.postMessage(message);

/** Undefined when the station cannot be opened; main has been told. */
async function open(folder: string, resources: string): Promise<Opened | undefined> {
  const log = openLogFile(join(folder, 'station.log'));
  process.on('uncaughtException', (error) => {
    // Nothing in memory can be trusted after this. The journal can: main starts a new process, which reads it.
    log('error', 'engine died', { detail: (error.stack ?? error.message).slice(0, 2000) });
    process.exit(1);
  });
  try {
    const station = await openStation({ folder, resources, log });
    const { engine, catalogue } = station;
    const answer = createAnswerer(runWith(engineHandlers(station)), (step, detail) =>
      log('warn', 'request fault', { step, detail }),
    );
    const show = () => projections.station(engine.snapshot(), catalogue);
    engine.subscribe((notification) => {
      if (notification.kind === 'snapshot') say({ say: 'running', station: show() });
      else say({ say: 'change', change: projections.change(notification, catalogue) });
    });
    return {
      show,
      close: () => station.close(),
      ask: async ({ id, name, input }) => {
        const reply = await answer(name, input);
        if (reply.ok) return { say: 'answer', id, value: reply.value };
        return { say: 'refusal', id, fault: { code: reply.code, details: reply.details } };
      },
    };
  } catch (error) {
    log('error', 'station not opened', { detail: error instanceof Error ? error.message : '' });
    say({ say: 'failed', code: codeOf(error) });
    return undefined;
  }
}

/**
 * The code that the start screen shows. A configuration that is wrong, or names a file that is missing or may not be read, is
 * the administrator's to repair (`station-not-set-up`); an error that has no code of its own is a fault of the program.
 */
function codeOf(error: unknown): ErrorCode {
  if (error instanceof KaikaError) return error.code;
  const file =
    error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES');
  return file || error instanceof StationConfigError ? 'station-not-set-up' : 'internal';
}

let station: Promise<Opened | undefined> = Promise.resolve(undefined);

async function obey(message: ToEngine): Promise<void> {
  if (message.do === 'open') {
    station = open(message.folder, message.resources);
    return;
  }
  const opened = await station;
  switch (message.do) {
    case 'ask':
      if (opened !== undefined) say(await opened.ask(message));
      break;
    case 'show':
      if (opened !== undefined) say({ say: 'station', id: message.id, station: opened.show() });
      break;
    case 'close':
      await opened?.close();
      process.exit(0);
  }
}

port.on('message', (event) => {
  const message = toEngineSchema.safeParse(event.data);
  if (message.success) void obey(message.data);
});
