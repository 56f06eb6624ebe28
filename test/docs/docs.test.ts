/** What the documentation names is there, and what it lists is whole: links, files, routes, options, codes, fields, rules. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cardTypeProfileSchema } from '../../app/catalogue/card-type-schema.ts';
import { cardApplicationSchema } from '../../app/catalogue/schema.ts';
import { FAULTS } from '../../app/demo/faults.ts';
import { KEYS } from '../../app/demo/hands.ts';
import { usage } from '../../app/demo/options.ts';
import { fmcosRuleFields, keyLayoutFields } from '../../app/dialects/fmcos/rule.ts';
import { DIALECTS } from '../../app/dialects/registry.ts';
import type { Who } from '../../app/keyserver/access/callers.ts';
import { RIGHTS } from '../../app/keyserver/access/rights.ts';
import { ENDPOINTS } from '../../app/keyserver/api/endpoints.ts';
import { statusOf } from '../../app/keyserver/api/status-codes.ts';
import { buildProgram } from '../../app/keyserver/cli/program.ts';
import { configSchema } from '../../app/keyserver/config.ts';
import * as records from '../../app/protocol/card-record.ts';
import { ERROR_CODES, errorBodySchema, SERVER_ERRORS } from '../../app/protocol/errors.ts';
import * as receipts from '../../app/protocol/receipts.ts';
import { ROLES, type Role } from '../../app/protocol/roles.ts';
import * as search from '../../app/protocol/search.ts';
import * as serverState from '../../app/protocol/server-state.ts';
import * as messages from '../../app/protocol/wire.ts';
import { readersConfigSchema, stationConfigSchema } from '../../app/station/config.ts';
import { headlessResultSchema } from '../../app/station/headless/result.ts';

const NOT_OURS = new Set(['node_modules', 'dist', 'out', 'coverage', 'test-results']);

describe.each(documents())('%s', (file) => {
  const text = read(file);

  it('links to what is there', () => {
    const targets = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    const broken = targets
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [path = '', fragment] = target.split('#');
        const there = path === '' ? file : join(dirname(file), path);
        if (!existsSync(there)) return true;
        return fragment !== undefined && !anchors(there).includes(fragment);
      });
    expect(broken).toEqual([]);
  });

  it('names files that are there', () => {
    const missing = named(text)
      .filter((name) => /^(app|test|resources|scripts)\//.test(name))
      // Keys of the token look like paths; what set-up leaves behind is there only afterwards.
      .filter((name) => !/\/(mck|mtk)$/.test(name) && !name.startsWith('scripts/.state'))
      // Of a pattern its folder counts.
      .filter((name) => !existsSync(name.replace(/[^/]*[*<{].*$/, '')));
    expect(missing).toEqual([]);
  });
});

it('docs/guide/key-server.md has the table of rights as the server has it', () => {
  const rows = Object.values(RIGHTS).map(({ what, roles }) => {
    const holders: readonly Role[] = roles;
    return `| ${[what, ...ROLES.map((role) => (holders.includes(role) ? 'yes' : ''))].join(' | ')} |`;
  });
  const [, table = ''] = read('docs/guide/key-server.md').split('<!-- rights -->\n');
  const found = table.slice(0, table.indexOf('\n\n')).split('\n');
  expect(found[0]).toBe(`| what | ${ROLES.map((role) => `\`${role}\``).join(' | ')} |`);
  expect(found.slice(2)).toEqual(rows);
});

describe('docs/api.md', () => {
  const api = read('docs/api.md');

  it('has the table of endpoints as the server has it', () => {
    const rows = ENDPOINTS.map(
      ({ method, path, may, summary }) => `| \`${method} ${path}\` | ${whoMay(may)} | ${summary} |`,
    );
    const table = api.slice(api.indexOf('| request | who may | what for |'), api.indexOf('## API level'));
    expect(table.trim().split('\n').slice(2)).toEqual(rows);
  });

  it('has the status of every code that the server answers, and no other code', () => {
    const rows = [...api.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(([, code = '', status = '']) => [
      code,
      Number(status),
    ]);
    const codes = rows.map(([code]) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of [...SERVER_ERRORS, 'server-refused-certificate']) expect(codes).toContain(code);
    for (const code of ERROR_CODES) {
      const row = rows.find(([one]) => one === code);
      if (row !== undefined) expect(row, code).toEqual([code, statusOf(code)]);
    }
    expect(codes.filter((code) => !ERROR_CODES.some((one) => one === code))).toEqual([]);
  });

  it('has every member of every message', () => {
    const schemas = Object.values(wire).filter((one) => one instanceof z.ZodType);
    expect(schemas.length).toBeGreaterThan(10);
    const names = new Set([...schemas, errorBodySchema].flatMap(members));
    expect(unmentioned([...names], api)).toEqual([]);
  });

  it('has the limits', () => {
    for (const [name, value] of Object.entries(wire.LIMITS)) {
      expect(api.replace(/,(?=\d{3})/g, ''), name).toMatch(new RegExp(`\\b${value}\\b`));
    }
    expect(api).toContain(`\`apiLevel\` is ${wire.API_LEVEL} `);
  });
});

describe('examples', () => {
  const schemas: Readonly<Record<string, z.ZodType>> = {
    ...Object.fromEntries(
      Object.entries(wire).flatMap(([name, one]) =>
        one instanceof z.ZodType ? [[name.replace(/Schema$/, ''), one]] : [],
      ),
    ),
    errorBody: errorBodySchema,
    serverConfig: configSchema,
    stationConfig: stationConfigSchema,
    headlessResult: headlessResultSchema,
  };
  const examples = documents().flatMap((file) =>
    [...read(file).matchAll(/^```json (\w+)\n(.*?)^```$/gms)].map(
      ([, schema = '', body = '']) => [`${schema} in ${file}`, schema, body] as const,
    ),
  );

  it('are there', () => {
    expect(examples.length).toBeGreaterThan(8);
  });

  it.each(examples)('%s follows its schema', (_name, schema, body) => {
    expect(Object.keys(schemas)).toContain(schema);
    expect(schemas[schema]?.safeParse(JSON.parse(body)).error?.issues ?? []).toEqual([]);
  });
});

describe('lists are whole', () => {
  it('options of npm start, faults and the result, in docs/guide/headless.md', () => {
    const guide = read('docs/guide/headless.md');
    const options = [...usage().matchAll(/^ {2,4}(--[a-z-]+)/gm)].map(([, option = '']) => option);
    expect(options.length).toBeGreaterThan(10);
    const said = named(guide).map((name) => name.split(' ')[0]);
    expect(options.filter((option) => !said.includes(option))).toEqual([]);
    expect(unmentioned(Object.keys(FAULTS), guide)).toEqual([]);
    expect(unmentioned(members(headlessResultSchema), guide)).toEqual([]);
  });

  it('commands and configuration of the key server, in docs/guide/key-server.md', () => {
    const guide = read('docs/guide/key-server.md');
    const there = commandsOf(buildProgram(() => undefined));
    expect(there.length).toBeGreaterThan(18);
    expect(synopsisOf(guide)).toEqual(there.sort());
    const rows = new Set(there.map((line) => line.split(' ')[0] ?? ''));
    expect(unmentioned([...rows], guide)).toEqual([]);
    const sections = ['listen', 'tls', 'store', 'vault'];
    const fields = members(configSchema).filter((name) => !sections.includes(name));
    expect(unmentioned(fields, guide)).toEqual([]);
  });

  it('keys of the demo and configuration of the station, in docs/guide/station.md', () => {
    const guide = read('docs/guide/station.md');
    expect(unmentioned(Object.keys(KEYS), guide)).toEqual([]);
    const fields = members(stationConfigSchema).filter((name) => !['server', 'readers'].includes(name));
    expect(fields.length).toBeGreaterThan(6);
    expect(unmentioned(fields, guide)).toEqual([]);
    const kinds = readersConfigSchema.options.map(({ shape }) => shape.kind.value);
    expect(unmentioned(kinds, guide)).toEqual([]);
  });

  it('fields of apps.json and of profiles, in docs/profiles.md', () => {
    const text = read('docs/profiles.md');
    const fields = [cardApplicationSchema, profileSchema, fmcosRuleFields].flatMap(members);
    expect(unmentioned(fields, text)).toEqual([]);
  });

  it('every field of a profile, of its security domain and of its apps in a row of its own, and every value it may have', () => {
    const text = read('docs/profiles.md');
    const rows = firstCells(text);
    const { securityDomain } = profileSchema.shape;
    const tables = [profileSchema, securityDomain.unwrap(), fmcosRuleFields, keyLayoutFields];
    for (const name of tables.flatMap((one) => Object.keys(one.shape))) expect(rows, name).toContain(name);
    expect(unmentioned([profileSchema, fmcosRuleFields].flatMap(values), text)).toEqual([]);
  });

  it('dependencies, in their decision, each once, and none that is not there', () => {
    const manifest = packageSchema.parse(JSON.parse(read('package.json')));
    const packages = Object.values(manifest).flatMap((group) => Object.keys(group));
    expect(firstCells(read('docs/decisions/0005-dependencies.md')).sort()).toEqual(packages.sort());
  });

  it('import rules, in docs/architecture.md, and none that is not there', () => {
    const rules = [...read('.dependency-cruiser.cjs').matchAll(/\bname: '([a-z0-9-]+)'/g)].map(
      ([, rule = '']) => rule,
    );
    expect(rules.length).toBeGreaterThan(10);
    const text = read('docs/architecture.md');
    const table = text.slice(text.indexOf('## Import rules'), text.indexOf('## How one job travels'));
    expect(firstCells(table).sort()).toEqual(rules.sort());
  });

  it('decisions, in their index, numbered without a gap', () => {
    const files = readdirSync('docs/decisions').filter((name) => /^\d{4}-/.test(name));
    const index = read('docs/decisions/README.md');
    expect(files.filter((name) => !index.includes(`](${name})`))).toEqual([]);
    expect(files.map((name) => Number(name.slice(0, 4)))).toEqual(files.map((_, at) => at + 1));
    for (const name of files) {
      expect(read(`docs/decisions/${name}`)).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. \\S`));
    }
  });
});

const read = (file: string) => readFileSync(file, 'utf8');
const profileSchema = cardTypeProfileSchema(DIALECTS);

/** Everything that goes over the wire. */
const wire = { ...messages, ...records, ...search, ...receipts, ...serverState };

/** Every Markdown file of the repository. */
function documents(folder = '.'): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = normalize(join(folder, entry.name));
    if (entry.isDirectory()) {
      return entry.name.startsWith('.') || NOT_OURS.has(entry.name) ? [] : documents(path);
    }
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** Without code blocks, in which nothing is a link or a name. */
const prose = (text: string) => text.replace(/^```.*?^```$/gms, '');

/** What stands between backticks. */
const named = (text: string) => [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, name = '']) => name);

/** First cells of the table rows under a heading, between backticks. */
function firstCells(text: string): string[] {
  return prose(text)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name));
}

/** Each command that can be typed, at every depth, with its options in alphabetical order. */
function commandsOf(program: Command, before = '', given: readonly string[] = []): string[] {
  const options = [...given, ...program.options.map(({ long }) => long ?? '')];
  // One that only leads to others takes the name of one of them.
  const leads = before === '' ? program.commands.length > 0 : program.registeredArguments.length > 0;
  const own = leads ? [] : [[before, ...options.sort()].join(' ')];
  return [
    ...own,
    ...program.commands.flatMap((one) => commandsOf(one, `${before} ${one.name()}`.trim(), options)),
  ];
}

/** The same from the lines of a guide: `keys a|b --config FILE [--key KEY]` tells of two. */
function synopsisOf(guide: string): string[] {
  return [...guide.matchAll(/^npm run server -- ([a-z| -]+?) (--.*)$/gm)]
    .filter(([line]) => !line.includes('CONFIG'))
    .flatMap(([, words = '', rest = '']) => {
      const options = [...rest.matchAll(/--[a-z-]+/g)].map(([option]) => option).sort();
      const last = words.split(' ').at(-1) ?? '';
      return last.split('|').map((one) => [words.slice(0, -last.length) + one, ...options].join(' '));
    })
    .sort();
}

/** The anchor that a heading gets. */
const anchor = (heading: string) =>
  heading
    .replace(/&[a-z]+;/g, '')
    .replace(/[`*_]|\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .trim()
    .replace(/ /g, '-');

const anchors = (file: string) =>
  [...prose(read(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchor(heading));

/** Names of all members that a schema knows, at every depth. */
function members(schema: z.ZodType): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, below] of Object.entries(value)) {
      if (key === 'properties') for (const name of Object.keys(below)) found.add(name);
      visit(below);
    }
  };
  visit(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return [...found];
}

/** All texts that a schema allows by name, at every depth. */
function values(schema: z.ZodType): string[] {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, below] of Object.entries(value)) {
      const said = key === 'enum' ? Object.values(below) : key === 'const' ? [below] : [];
      for (const one of said) if (typeof one === 'string') found.add(one);
      visit(below);
    }
  };
  visit(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return [...found];
}

/** Names that `text` does not mention between backticks, alone or behind a dot. */
function unmentioned(names: readonly string[], text: string): string[] {
  const said = named(text);
  return names.filter((name) => !said.some((one) => one === name || one.endsWith(`.${name}`)));
}

/** How docs/api.md words whom an endpoint lets through. */
function whoMay(may: Who): string {
  switch (may) {
    case 'certificate':
      return 'any certificate of the authorities';
    case 'station':
      return 'an enrolled station';
    default:
      return `an enrolled station with somebody signed in: ${RIGHTS[may].roles.join(', ')}`;
  }
}

const packageSchema = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
  optionalDependencies: z.record(z.string(), z.string()),
});
