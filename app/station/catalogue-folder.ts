/** The catalogue as it lies in a folder: apps.json and profiles/. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeTextFile } from '../card/text-file.ts';
import { readCatalogue } from '../catalogue/files.ts';
import type { Catalogue } from '../catalogue/schema.ts';
import { COUNTER_DIALECTS } from '../dialects/counter.ts';

/** @throws CatalogueError naming the file */
export function catalogueIn(folder: string): Catalogue {
  return readCatalogue(
    {
      list: (name) => readdirSync(join(folder, name)),
      read: (file) => decodeTextFile(readFileSync(join(folder, file))),
    },
    COUNTER_DIALECTS,
  );
}
