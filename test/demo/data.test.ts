/** Where the demo keeps its data, and that it takes nothing away that it did not make or cannot read. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dataFolder } from '../../app/demo/data-folder.ts';
import { parseOptions, UsageError } from '../../app/demo/options.ts';
import { runDemo, startDemo } from '../support/demo-run.ts';
import { freshFolder } from '../support/folders.ts';

const data = freshFolder('data');

describe('the data folder', () => {
  it('follows the custom of the system, and counts an empty or relative XDG_DATA_HOME as not set', () => {
    expect(dataFolder({ XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/kaika');
    expect(dataFolder({ XDG_DATA_HOME: '' }, 'linux')).toMatch(/^\/.*\/\.local\/share\/kaika$/);
    expect(dataFolder({ XDG_DATA_HOME: 'here' }, 'linux')).toMatch(/^\/.*\/\.local\/share\/kaika$/);
    expect(dataFolder({ KAIKA_DATA: '/y' }, 'linux')).toBe('/y');
  });

  it('is left alone where something else is called demo, by a start and by --reset', async () => {
    mkdirSync(data('demo'));
    writeFileSync(data('demo', 'thesis.txt'), 'years of work');
    const start = await runDemo(data(), ['--built-in']);
    const reset = await startDemo(data(), ['--reset', '--headless', '--built-in']).ended;
    expect([start.status, reset.status]).toEqual([1, 1]);
    expect(start.stderr).toContain('KAIKA_DATA');
    expect(readFileSync(data('demo', 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('is never made anew over a demo that cannot be read', async () => {
    expect((await runDemo(data(), ['--built-in', '--latency', 'none', '--apps', 'e-wallet'])).status).toBe(0);
    const pin = readFileSync(data('demo', 'pin'), 'utf8');
    writeFileSync(data('demo', 'people.json'), '{"version":1,');
    expect((await runDemo(data(), ['--built-in'])).status).toBe(1);
    expect(readFileSync(data('demo', 'pin'), 'utf8')).toBe(pin);
    const reset = await startDemo(data(), ['--reset', '--headless', '--built-in', '--latency', 'none']).ended;
    expect([reset.status, readFileSync(data('demo', 'pin'), 'utf8') === pin]).toEqual([0, false]);
  });
});

describe('a card file', () => {
  it('reached through a link stays one card', async () => {
    const card = data('card.json');
    const run = (file: string, app: string) =>
      runDemo(data(), ['--built-in', '--latency', 'none', '--card', file, '--apps', app]);
    expect((await run(card, 'e-wallet')).status).toBe(0);
    symlinkSync(card, data('link.json'));
    expect((await run(data('link.json'), 'identity')).status).toBe(0);
    expect((await run(card, 'transit')).result.outcome).toBe('complete');
  });

  it('in a folder that is not there, or with a fault it was not made for, is refused in a sentence', async () => {
    const nowhere = await runDemo(data(), ['--built-in', '--card', data('no', 'card.json')]);
    expect([nowhere.status, nowhere.stderr]).toEqual([1, expect.stringContaining('there is no such folder')]);
    const card = data('card.json');
    writeFileSync(card, '{}');
    const made = await runDemo(data(), ['--built-in', '--card', card, '--fault', 'card-full']);
    expect([made.status, made.stderr]).toEqual([1, expect.stringContaining('needs a card made for it')]);
  });
});

describe('the command line', () => {
  it.each([
    [['--apps', 'e-wallet', '--delete', 'e-wallet']],
    [['--apps', 'e-wallet,e-wallet']],
    [['--apps', '']],
    [['--card-type', 'toString']],
    [['--card', '']],
    [['--account', '12']],
    [['--fault', 'nothing-such']],
    [['--card', '--headless']],
    [['--jsn']],
    [['something']],
  ])('%j is not understood', (args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  });

  it('--fault list asks for their names, and a fault that is one is played', () => {
    expect(parseOptions(['--fault', 'list'])).toMatchObject({ listFaults: true });
    expect(parseOptions(['--fault=card-pulled:2'])).toMatchObject({
      listFaults: false,
      fault: { name: 'card-pulled', step: 2 },
    });
  });
});
