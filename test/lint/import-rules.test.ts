/** Every rule of .dependency-cruiser.cjs is broken once, in a small copy of the layout, and must say so: a rule whose pattern matches nothing looks kept. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { scratchFolder } from '../support/temporary.ts';

/** Who imports what; a type only where it says so. A name without a folder is a package or a module of Node's. */
const BROKEN: Record<string, readonly [from: string, to: string, how?: 'type' | 'dynamic']> = {
  'no-circular': ['app/card/circle-back.ts', 'app/card/circle.ts'],
  'not-to-unresolvable': ['app/card/lost.ts', 'nowhere-to-be-found'],
  'app-is-neither-shell-nor-screen': ['app/station/shell.ts', 'electron/main/any.ts'],
  'only-electron-knows-electron': ['app/station/window.ts', 'electron'],
  'no-react-outside-the-renderer': ['electron/main/screen.ts', 'zustand'],
  'pure-folders-do-no-io': ['app/card/file.ts', 'node:fs'],
  'pure-folders-import-pure-folders': ['app/texts/engine.ts', 'app/station/any.ts'],
  'pure-folders-packages': ['app/protocol/log.ts', 'pino'],
  'dialects-are-asked-by-interface': ['app/catalogue/dialect.ts', 'app/dialects/one/any.ts'],
  'dialects-know-no-other-dialect': ['app/dialects/one/other.ts', 'app/dialects/two/any.ts'],
  'dialects-stand-below-the-catalogue': ['app/dialects/one/catalogue.ts', 'app/catalogue/any.ts'],
  'issuer-decides-only': ['app/keyserver/issuer/store.ts', 'app/keyserver/store/any.ts'],
  'deciding-files-do-no-io': ['app/keyserver/recovery/rescue.ts', 'node:fs'],
  'deciding-files-packages': ['app/keyserver/vault/supervisor-machine.ts', 'kysely'],
  'station-never-imports-keyserver': ['renderer/state/server.ts', 'app/keyserver/any.ts'],
  'station-builds-no-key-command': ['app/station/build.ts', 'app/globalplatform/any.ts'],
  'station-machines-are-pure': ['app/station/jobs/machine/disk.ts', 'app/station/jobs/any.ts'],
  'station-machines-do-no-io': ['app/station/readers/machine/file.ts', 'node:fs'],
  'readers-know-no-jobs': ['app/station/readers/jobs.ts', 'app/station/jobs/any.ts'],
  'server-line-knows-no-jobs': ['app/station/server/readers.ts', 'app/station/readers/any.ts'],
  'pcsc-is-behind-the-reader-port': ['app/station/engine.ts', 'app/station/readers/pcsc/any.ts'],
  'station-calls-foreign-functions-in-pcsc-only': ['app/station/lock.ts', 'koffi'],
  'station-keeps-its-files-in-two-places': ['app/station/jobs/other-file.ts', 'libsql'],
  'keyserver-never-imports-station': ['app/keyserver/station.ts', 'app/station/any.ts', 'type'],
  'http-is-spoken-in-one-file': ['app/keyserver/operations/metrics.ts', 'fastify'],
  'log-lines-are-written-in-one-file': ['app/keyserver/api/server.ts', 'pino'],
  'figures-are-kept-in-one-file': ['app/keyserver/log.ts', 'prom-client'],
  'command-lines-are-read-at-the-door': ['app/keyserver/cli/run.ts', 'commander'],
  'api-knows-no-tables': ['app/keyserver/api/tables.ts', 'app/keyserver/store/any.ts', 'type'],
  'endpoints-are-thin': ['app/keyserver/api/endpoints/thick.ts', 'app/keyserver/audit/any.ts'],
  'access-stands-on-store-and-audit': ['app/keyserver/access/jobs.ts', 'app/keyserver/jobs/any.ts'],
  'rooms-know-no-doors': ['app/keyserver/jobs/door.ts', 'app/keyserver/cli/any.ts', 'type'],
  'only-the-vault-process-knows-pkcs11': ['app/keyserver/vault/token.ts', 'graphene-pk11'],
  'server-calls-native-code-in-the-vault-process-only': ['app/keyserver/vault/foreign.ts', 'koffi'],
  'vault-process-stands-apart': [
    'app/keyserver/vault/client.ts',
    'app/keyserver/vault/process/any.ts',
    'type',
  ],
  'vault-registry-loads-late': ['app/keyserver/vault/registry.ts', 'app/keyserver/vault/process/any.ts'],
  'vault-has-one-door': ['app/keyserver/jobs/events.ts', 'app/keyserver/vault/supervisor-machine.ts', 'type'],
  'vault-is-administered-at-the-terminal': ['app/keyserver/keys/make.ts', 'app/keyserver/vault/admin.ts'],
  'vault-knows-no-server': ['app/keyserver/vault/wire.ts', 'app/protocol/any.ts', 'type'],
  'sql-stands-in-the-store': ['app/keyserver/records/query.ts', 'kysely', 'type'],
  'store-is-below-the-rooms': ['app/keyserver/store/judge.ts', 'app/keyserver/issuer/card-life.ts'],
  'store-holds-values-of-the-issuer-only': [
    'app/keyserver/store/log.ts',
    'app/keyserver/audit/any.ts',
    'type',
  ],
  'audit-is-on-the-ground-floor': ['app/keyserver/audit/jobs.ts', 'app/keyserver/issuer/any.ts', 'type'],
  'records-only-read': ['app/keyserver/records/jobs.ts', 'app/keyserver/jobs/any.ts', 'type'],
  'recovery-knows-no-job-service': ['app/keyserver/recovery/keys.ts', 'app/keyserver/keys/any.ts'],
  'keys-know-no-jobs': ['app/keyserver/keys/recovery.ts', 'app/keyserver/recovery/any.ts'],
  'jobs-know-no-face': ['app/keyserver/jobs/records.ts', 'app/keyserver/records/any.ts'],
  'simulator-stands-apart': ['app/simulator/host.ts', 'app/globalplatform/any.ts', 'type'],
  'simulator-is-not-for-the-product': ['electron/main/virtual.ts', 'app/simulator/any.ts'],
  'demo-is-a-composition': ['app/station/demo.ts', 'app/demo/any.ts'],
  'renderer-knows-types-only': ['renderer/state/recognise.ts', 'app/catalogue/any.ts'],
  'renderer-sees-what-the-schema-sends': ['renderer/state/engine.ts', 'app/station/any.ts', 'type'],
  'features-stand-apart': ['renderer/features/counter/history.ts', 'renderer/features/history/any.ts'],
  'features-know-no-shell': ['renderer/features/counter/shell.ts', 'renderer/shell/any.ts'],
  'shared-parts-know-no-feature': ['renderer/components/feature.ts', 'renderer/features/history/any.ts'],
  'ipc-schema-is-pure': ['electron/ipc-schema.ts', 'electron/main/any.ts', 'type'],
  'ipc-schema-has-no-node': ['electron/ipc-schema/any.ts', 'node:crypto'],
  'preload-knows-the-schema-only': ['electron/preload.ts', 'node:path'],
  'engine-process-knows-no-main': ['electron/engine/main.ts', 'electron/main/any.ts', 'type'],
  'renderer-has-no-node': ['renderer/features/counter/node.ts', 'node:path'],
  'mock-is-in-no-build': ['renderer/App.ts', 'renderer/mock/any.ts', 'dynamic'],
  'mock-stands-for-the-station': ['renderer/mock/engine.ts', 'app/station/any.ts', 'type'],
  'tests-are-part-of-nothing': ['scripts/build/test.ts', 'test/support/any.ts'],
  'no-test-imports-a-test': ['test/support/other.ts', 'test/card/any.test.ts'],
  'scripts-import-no-product': ['scripts/bootstrap/product.ts', 'app/card/any.ts'],
  'set-up-needs-no-packages': ['scripts/bootstrap/packages.ts', 'zod'],
  'set-up-knows-no-build': ['scripts/electron/build.ts', 'scripts/build/any.ts', 'dynamic'],
};

let found: ReadonlyMap<string, ReadonlySet<string>>;
beforeAll(breakEveryRule);

it.each(Object.entries(BROKEN))('%s', (rule, [from]) => {
  expect([...(found.get(rule) ?? [])]).toContain(from);
});

it('every rule is among them', () => {
  const rules = [
    ...readFileSync(join(ROOT, '.dependency-cruiser.cjs'), 'utf8').matchAll(/\bname: '([a-z0-9-]+)'/g),
  ];
  expect(Object.keys(BROKEN).sort()).toEqual(rules.map(([, name]) => name).sort());
});

function breakEveryRule(): void {
  const folder = scratchFolder('kaika-walls-');
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text, { flag: 'a' });
  };
  for (const name of ['.dependency-cruiser.cjs', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(folder, name));
  for (const [from, to, how] of Object.values(BROKEN)) {
    const isFile = to.includes('/');
    const target = isFile ? `./${posix.relative(posix.dirname(from), to)}` : to;
    write(from, statement(target, how));
    if (isFile) write(to, 'export type It = number;\nexport const it = 0;\n');
    else if (!to.startsWith('node:') && to !== 'nowhere-to-be-found')
      write(`node_modules/${to}/index.js`, '');
  }
  write('app/card/circle.ts', "import './circle-back.ts';\n");
  const places = ['app', 'electron', 'renderer', 'scripts', 'test'];
  const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', ...places];
  const program = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const json = execFileSync(process.execPath, [program, ...args], { cwd: folder, encoding: 'utf8' });
  const { violations } = cruised.parse(JSON.parse(json)).summary;
  const broken = new Map<string, Set<string>>();
  for (const { from, rule } of violations)
    broken.set(rule.name, (broken.get(rule.name) ?? new Set()).add(from));
  found = broken;
}

const ROOT = resolve(import.meta.dirname, '../..');

const cruised = z.object({
  summary: z.object({
    violations: z.array(z.object({ from: z.string(), rule: z.object({ name: z.string() }) })),
  }),
});

function statement(target: string, how: 'type' | 'dynamic' | undefined): string {
  if (how === 'type') return `import type { It } from '${target}';\nexport type One = It;\n`;
  return how === 'dynamic' ? `await import('${target}');\nexport {};\n` : `import '${target}';\n`;
}
