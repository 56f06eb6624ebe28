/** Which resource files the catalogue is made of; reading them is the caller's port. */
import { TextFileError } from '../card/text-file.ts';
import type { DialectRegistry } from '../dialects/read-rule.ts';
import { type Catalogue, CatalogueError, parseCatalogue } from './schema.ts';

interface ResourceFiles {
  /** Names in a folder below resources/, e.g. `profiles`. */
  readonly list: (folder: string) => readonly string[];
  /** Text of a file below resources/, e.g. `apps.json`. May throw a TextFileError. */
  readonly read: (file: string) => string;
}

/** Reads apps.json and profiles/*.json; `dialects`: those of the server or of a station. @throws CatalogueError naming the file */
export function readCatalogue(files: ResourceFiles, dialects: DialectRegistry): Catalogue {
  const profiles = files
    .list('profiles')
    .filter((name) => name.endsWith('.json'))
    .sort();
  return parseCatalogue(
    json(files, 'apps.json'),
    profiles.map((name) => ({ file: name, content: json(files, `profiles/${name}`) })),
    dialects,
  );
}

function json(files: ResourceFiles, file: string): unknown {
  let text: string;
  try {
    text = files.read(file);
  } catch (error) {
    throw new CatalogueError(file, error instanceof TextFileError ? error.message : 'cannot be read');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new CatalogueError(file, 'is not JSON');
  }
}
