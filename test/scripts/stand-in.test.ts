/** The Electron that stands in for the official one: what its list knows, against what this copy would make. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { sha256Of } from '../../scripts/electron/stand-in/check.mjs';
import { packDefaultApp } from '../../scripts/electron/stand-in/fetch.mjs';
import { FILES, MADE_HERE } from '../../scripts/electron/stand-in/known.mjs';
import { freshFolder } from '../support/folders.ts';

const folder = freshFolder('stand-in');

test('the app that is packed into it comes out as the list knows it', async () => {
  const file = folder('default_app.asar');
  await packDefaultApp(folder('default-app'), file);
  expect(readFileSync(file).length).toBe(FILES['resources/default_app.asar']?.size);
  expect(sha256Of(file)).toBe(FILES['resources/default_app.asar']?.sha256);
});

test('every file of it is known by a whole hash, and nothing of the program that it was made for is among them', () => {
  for (const { sha256 } of Object.values(FILES)) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  const paths = Object.keys(FILES);
  expect(MADE_HERE.every((path) => paths.includes(path))).toBe(true);
  expect(paths.filter((path) => path.startsWith('resources/'))).toEqual(['resources/default_app.asar']);
  expect(paths.filter((path) => /cypress|browser_v8/i.test(path))).toEqual([]);
});
