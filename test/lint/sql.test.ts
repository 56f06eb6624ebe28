/** The lint plugin that finds queries outside the store, where nothing is imported for them: a store was handed on. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder } from '../support/temporary.ts';

it.each([
  "db.selectFrom('cards')",
  "db.insertInto('cards')",
  "db.mergeInto('cards')",
  "db.replaceInto('cards')",
  "db.updateTable('cards')",
  "db.deleteFrom('cards')",
  'db.executeQuery(db)',
  "db.schema.dropTable('cards')",
])('%s is found in a room, and allowed in the store', (query) => {
  const folder = scratchFolder('kaika-sql-');
  for (const name of ['biome.json', '.lint'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const text = `export function query(db: Anything): unknown {\n  return ${query};\n}\n`;
  for (const room of ['records', 'store']) {
    mkdirSync(join(folder, 'app/keyserver', room), { recursive: true });
    writeFileSync(join(folder, 'app/keyserver', room, 'query.ts'), text);
  }
  const lint = (room: string) => {
    const program = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
    const args = [program, 'lint', '--vcs-enabled=false', `app/keyserver/${room}`];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    return { status, found: `${stdout}${stderr}`.includes('SQL stands in app/keyserver/store only') };
  };
  expect(lint('records')).toEqual({ status: 1, found: true });
  expect(lint('store')).toEqual({ status: 0, found: false });
});

const ROOT = resolve(import.meta.dirname, '../..');
