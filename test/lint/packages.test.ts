/** Other people's code: it comes from where it should, as it was when it was looked at, and little of it comes near the keys. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';

it.each([
  ['dependencies', 10],
  ['devDependencies', 10],
  ['optionalDependencies', 0],
] as const)('is named with its exact version (%s)', (group, more) => {
  const named = manifest[group];
  expect(Object.keys(named).length).toBeGreaterThan(more);
  expect(Object.entries(named).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

it('is told by the hash of its file, which npm compares, and comes from the registry that npm is set up with', () => {
  const fetched = Object.entries(lock.packages).filter(([name]) => name !== '');
  expect(fetched.length).toBeGreaterThan(100);
  // Another place, a repository or an address say, would stand beside it.
  const strange = fetched.filter(
    ([, { resolved, integrity }]) => resolved !== undefined || !/^sha512-[\w+/]{86}==$/.test(integrity ?? ''),
  );
  expect(strange.map(([name]) => name)).toEqual([]);
});

it('is in the process that has the keys where four packages are: three to reach the token, one to check messages', () => {
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const entry = 'app/keyserver/vault/process/main.ts';
  const args = [program, '--no-config', '--ts-config', 'tsconfig.json', '--output-type', 'json', entry];
  const json = execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
  const { modules } = cruised.parse(JSON.parse(json));
  expect(modules.map(({ source }) => source)).toContain('app/keyserver/vault/process/token/pin.ts');
  const packages = modules
    .filter(({ source }) => source.startsWith('app/'))
    .flatMap(({ dependencies }) => dependencies)
    .filter(({ dependencyTypes }) => dependencyTypes.some((type) => type.startsWith('npm')))
    .map(({ module }) => module);
  expect([...new Set(packages)].sort()).toEqual(['graphene-pk11', 'koffi', 'pkcs11js', 'zod']);
});

const ROOT = resolve(import.meta.dirname, '../..');

const lock = z
  .object({
    packages: z.record(
      z.string(),
      z.object({
        resolved: z.string().optional(),
        integrity: z.string().optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')));

const versions = z.record(z.string(), z.string());

const manifest = z
  .object({ dependencies: versions, devDependencies: versions, optionalDependencies: versions })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')));

const cruised = z.object({
  modules: z.array(
    z.object({
      source: z.string(),
      dependencies: z.array(z.object({ module: z.string(), dependencyTypes: z.array(z.string()) })),
    }),
  ),
});
