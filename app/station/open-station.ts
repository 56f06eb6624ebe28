/** A station from its folder: configuration, catalogue, readers, server and engine put together. */
import { mkdirSync, readFileSync } from 'node:fs';
import type { ReaderPort } from '../card/reader-port.ts';
import { decodeTextFile } from '../card/text-file.ts';
import type { Catalogue } from '../catalogue/schema.ts';
import { catalogueIn } from './catalogue-folder.ts';
import { type ReadersConfig, readStationConfig, type StationConfig } from './config.ts';
import { type Engine, openEngine } from './engine.ts';
import { type Log, noLog, systemClock } from './ports.ts';
import { openPcsc } from './readers/pcsc/index.ts';
import { createServerClient } from './server/client.ts';

export interface Station {
  readonly engine: Engine;
  readonly catalogue: Catalogue;
  /** Ends the engine, then the readers. */
  close(): Promise<void>;
}

interface StationPlace {
  /** The installation's folder, with its configuration in it. */
  readonly folder: string;
  /** The program's own resources; used where the site has no catalogue of its own. */
  readonly resources: string;
  readonly log?: Log;
}

/**
 * Opens the station of a folder.
 * @throws StationConfigError, CatalogueError, KaikaError as openEngine; for a certificate the file system's error, or TextFileError
 */
export async function openStation({ folder, resources, log = noLog }: StationPlace): Promise<Station> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const config = readStationConfig(folder);
  const catalogue = catalogueIn(config.catalogue ?? resources);
  const certificates = readCertificates(config);
  const readers = await openReaders(config.readers);
  try {
    const engine = openEngine({
      folder,
      readers,
      catalogue,
      lastTries: config.lastTries === true,
      clock: systemClock,
      log,
      server: (time) =>
        createServerClient({
          origins: [config.server.origin, ...(config.server.others ?? [])],
          ...certificates,
          clock: systemClock,
          ...time,
        }),
    });
    const close = async () => {
      await engine.close();
      await readers.close();
    };
    return { engine, catalogue, close };
  } catch (error) {
    await readers.close();
    throw error;
  }
}

function readCertificates({ server }: StationConfig) {
  return {
    ca: decodeTextFile(readFileSync(server.authorities)),
    cert: decodeTextFile(readFileSync(server.certificate)),
    key: decodeTextFile(readFileSync(server.key)),
  };
}

/** The simulator is loaded only where training asks for it. */
async function openReaders(config: ReadersConfig): Promise<ReaderPort> {
  switch (config.kind) {
    case 'pcsc':
      return openPcsc(config.socket === undefined ? {} : { socketPath: config.socket });
    case 'training': {
      const { openTrainingReaders } = await import('./training.ts');
      return openTrainingReaders(config.desk);
    }
  }
}
