/**
 * What Electron's own default app does for us: takes the folder named on the command line for the app and runs it. Packed
 * into the old runtime, which has none.
 */
const { app } = require('electron');
const { readFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

const folder = process.argv.slice(1).find((word) => !word.startsWith('-'));
if (folder === undefined) {
  process.stderr.write('Name the folder of an app.\n');
  app.exit(2);
} else {
  const home = resolve(folder);
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  app.setAppPath(home);
  app.setName(manifest.productName ?? manifest.name);
  app.setVersion(manifest.version);
  require(join(home, manifest.main));
}
