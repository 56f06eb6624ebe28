/**
 * What a station is told: `station.json` in its data folder. Paths in it are taken from the folder, so that a folder that
 * moves stays whole.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { decodeTextFile, TextFileError } from '../card/text-file.ts';

export const STATION_CONFIG = 'station.json';

const path = z.string().min(1).max(4096);
/** `https://host[:port]`. */
const origin = z.url({ protocol: /^https$/ }).max(300);

export const readersConfigSchema = z.discriminatedUnion('kind', [
  /** This machine's smart card service; `socket`: pcsclite only, a pcscd elsewhere. */
  z.strictObject({ kind: z.literal('pcsc'), socket: path.optional() }),
  /** Virtual readers for training; `desk` says which cards are in them (app/station/training.ts). */
  z.strictObject({ kind: z.literal('training'), desk: path }),
]);
export type ReadersConfig = z.infer<typeof readersConfigSchema>;

export const stationConfigSchema = z.strictObject({
  version: z.literal(1),
  server: z.strictObject({
    origin,
    /** Other instances of the same server: the station goes to the next by itself when one is away. */
    others: z.array(origin).max(7).optional(),
    /** PEM files: the CA that the server's chain must end in, this station's certificate and its key. */
    authorities: path,
    certificate: path,
    key: path,
  }),
  readers: readersConfigSchema,
  /** A folder with apps.json and profiles/, where the site has a catalogue of its own. */
  catalogue: path.optional(),
  /**
   * Whether a key's last try may be sent from this station, when a supervisor has released it: wrong, it locks the app or the card for good. A
   * server that was taken over could do it to every card, so ordinary stations are without it.
   */
  lastTries: z.boolean().optional(),
});
export type StationConfig = z.infer<typeof stationConfigSchema>;

/** There is no configuration, or it does not follow its schema. Says which field, never its value. */
export class StationConfigError extends Error {
  readonly missing: boolean;
  constructor(file: string, reason: string, missing = false) {
    super(`${file}: ${reason}`);
    this.name = 'StationConfigError';
    this.missing = missing;
  }
}

/** Reads a station's configuration, its paths made absolute. @throws StationConfigError */
export function readStationConfig(folder: string): StationConfig {
  const file = join(folder, STATION_CONFIG);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new StationConfigError(file, 'cannot be read', true);
  }
  const parsed = stationConfigSchema.safeParse(parseJson(file, bytes));
  if (!parsed.success) {
    throw new StationConfigError(file, parsed.error.issues[0]?.path.join('.') || 'not a configuration');
  }
  const { server, readers, catalogue } = parsed.data;
  const at = (name: string) => resolve(folder, name);
  return {
    ...parsed.data,
    server: {
      ...server,
      authorities: at(server.authorities),
      certificate: at(server.certificate),
      key: at(server.key),
    },
    readers: withPaths(readers, at),
    ...(catalogue === undefined ? {} : { catalogue: at(catalogue) }),
  };
}

function withPaths(readers: ReadersConfig, at: (name: string) => string): ReadersConfig {
  switch (readers.kind) {
    case 'training':
      return { ...readers, desk: at(readers.desk) };
    case 'pcsc':
      return readers.socket === undefined ? readers : { ...readers, socket: at(readers.socket) };
  }
}

/** @throws StationConfigError */
function parseJson(file: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decodeTextFile(bytes));
  } catch (error) {
    throw new StationConfigError(file, error instanceof TextFileError ? error.message : 'is not JSON');
  }
}
