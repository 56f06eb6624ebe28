/** Setting up from nothing, and what each thing that can go wrong ends in: one sentence, repaired by the next run. */
import { describe, expect, test } from 'vitest';
import { freshCopy } from './fake-copy.ts';

const copy = freshCopy();

describe('a bare copy', () => {
  test('says what it fetches, from where and how much, before it does, and keeps stdout clean', async () => {
    const { status, stdout, stderr } = await copy.run(['server', '--json', 'two words']);
    expect(status).toBe(0);
    expect(stdout).toBe('the program --json two words\n');
    expect(stderr).toMatch(
      /^Fetching the npm packages .*from the npm registry: about \d+ MB, \d+ MB on disk\.$/m,
    );
    expect(copy.calls('npm')).toHaveLength(1);
    expect(copy.calls('npm')[0]).toContain('ci --ignore-scripts');
  });

  test('is set up once: the second start asks npm and apt for nothing and says nothing', async () => {
    await copy.run(['server']);
    const before = copy.calls('npm').length + copy.calls('apt-get').length;
    const { status, stderr } = await copy.run(['server']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(copy.calls('npm').length + copy.calls('apt-get').length).toBe(before);
  });

  test('installs again when package-lock.json changes, or a package was deleted', async () => {
    await copy.run(['server']);
    copy.write(
      'package-lock.json',
      JSON.stringify({ packages: { '': {}, 'node_modules/left': { version: '1.0.1' } } }),
    );
    await copy.run(['server']);
    expect(copy.calls('npm')).toHaveLength(2);
    copy.write('package.json', JSON.stringify({ type: 'module', dependencies: { left: '1', right: '1' } }));
    await copy.run(['server']);
    expect(copy.calls('npm').length).toBeGreaterThan(2);
  });

  test('takes over what somebody installed by hand', async () => {
    copy.install();
    const { status } = await copy.run(['server']);
    expect(status).toBe(0);
    expect(copy.calls('npm')).toHaveLength(0);
  });

  test('leaves alone what node_modules links to, and says what to do', async () => {
    copy.write('../shared/left/package.json', '{}');
    copy.write('../shared/.package-lock.json', '{}');
    copy.link('node_modules', '../shared');
    const { status, stderr } = await copy.run(['server']);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^node_modules is a link to another folder.*run the command again, or install there\.$/m,
    );
    expect(copy.calls('npm')).toHaveLength(0);
    expect(copy.has('../shared/left/package.json')).toBe(true);
    expect(copy.has('node_modules/left/package.json')).toBe(true);
  });

  test('hands on the exit status of the program', async () => {
    copy.program('process.exit(7);');
    expect((await copy.run(['server'])).status).toBe(7);
  });

  test('refuses an old Node and an unknown command in a sentence', async () => {
    const old = await copy.run(['server'], { nodeVersion: '18.20.4' });
    expect(old).toMatchObject({ status: 1, stdout: '' });
    expect(old.stderr).toMatch(/^Kaika needs Node 20 or newer .* this is Node 18\.20\.4.*\n$/);
    const unknown = await copy.run(['constructor']);
    expect(unknown.status).toBe(2);
    expectNoStack(unknown.stderr);
    expect(copy.calls('npm')).toHaveLength(0);
  });
});

describe('npm that fails', () => {
  const cases = [
    ['full', /^Not enough room on the disk: .* \d+ MB in .*Free some and run the command again\.$/m],
    ['full but content', /^Not enough room on the disk/m],
    ['damaged', /arrived damaged twice: .*run the command again\.$/m],
    ['no network', /^The npm registry could not be reached: .*run the command again\.$/m],
    ['not writable', /^npm may not write where it must .*run the command again\.$/m],
    ['out of step', /^package\.json and package-lock\.json do not fit each other/m],
  ] as const;

  test.each(cases)(
    '%s: one sentence, nothing half-made left, repaired by the next run',
    async (mode, sentence) => {
      copy.mode('npm', mode);
      const failed = await copy.run(['server']);
      expect(failed).toMatchObject({ status: 1, stdout: '' });
      expect(failed.stderr).toMatch(sentence);
      expectNoStack(failed.stderr);
      expect(copy.has('node_modules')).toBe(false);
      expect(copy.has('scripts/.state/lock')).toBe(false);

      copy.mode('npm', 'works');
      expect(await copy.run(['server'])).toMatchObject({ status: 0, stdout: 'the program \n' });
    },
  );

  test('a damaged download is fetched once more, past the cache that holds it', async () => {
    copy.mode('npm', 'damaged', 'works');
    const { status, stderr } = await copy.run(['server']);
    expect(status).toBe(0);
    expect(stderr).toContain('fetching it once more');
    expect(copy.calls('npm')[1]).toContain('--cache');
    expect(copy.has('scripts/.state/npm-cache')).toBe(false);
  });
});

describe("Debian's packages", () => {
  test('root: says how large, installs only what is missing', async () => {
    copy.uninstall('softhsm2', 'pcscd');
    const { status, stderr } = await copy.run(['server']);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^Fetching Debian's packages softhsm2, pcscd from the Debian mirror .*: 1\.0 MB\.$/m,
    );
    expect(copy.calls('apt-get').at(-1)).toMatch(/install .*--no-install-recommends .*softhsm2 pcscd$/);
  });

  test('root: fetches the lists first', async () => {
    copy.uninstall('softhsm2');
    copy.write('../no-lists', '');
    expect((await copy.run(['server'])).status).toBe(0);
    const kinds = copy.calls('apt-get').map((call) => /update|print-uris|install/.exec(call)?.[0]);
    expect(kinds.indexOf('update')).toBeGreaterThan(-1);
    expect(kinds.indexOf('update')).toBeLessThan(kinds.lastIndexOf('install'));
  });

  test('root: an installation that was cut short is finished first', async () => {
    copy.uninstall('softhsm2');
    copy.mode('apt-get', 'interrupted');
    expect((await copy.run(['server'])).status).toBe(0);
    expect(copy.calls('dpkg')[0]).toContain('--configure -a');
  });

  test.each([
    ['locked', /^Another program is installing packages .*run the command again\.$/m],
    ['no network', /^Debian's package servers could not be reached .*run the command again\.$/m],
  ])('root, %s: one sentence, repaired by the next run', async (mode, sentence) => {
    copy.uninstall('softhsm2');
    copy.mode('apt-get', mode);
    const failed = await copy.run(['server']);
    expect(failed).toMatchObject({ status: 1, stdout: '' });
    expect(failed.stderr).toMatch(sentence);
    expectNoStack(failed.stderr);
    copy.mode('apt-get', 'works');
    expect((await copy.run(['server'])).status).toBe(0);
  });

  test('not root, no sudo: prints the one command and downloads nothing', async () => {
    copy.uninstall('softhsm2', 'pcscd');
    const { status, stdout, stderr } = await copy.run(['server'], { user: 1000 });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      /^ {2}su -c 'apt-get update && apt-get install --yes --no-install-recommends softhsm2 pcscd'$/m,
    );
    expect(copy.calls('npm')).toHaveLength(0);
    expect(copy.calls('apt-get')).toHaveLength(0);
  });

  test('not root, sudo that asks for a password: the one command with sudo', async () => {
    copy.uninstall('softhsm2');
    copy.addTool('sudo');
    copy.mode('sudo', 'asks');
    const { status, stderr } = await copy.run(['server'], { user: 1000 });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ {2}sudo sh -c 'apt-get update && apt-get install .* softhsm2'$/m);
  });

  test('not root, sudo without a password: installs through it', async () => {
    copy.uninstall('softhsm2');
    copy.addTool('sudo');
    expect((await copy.run(['server'], { user: 1000 })).status).toBe(0);
    expect(copy.calls('sudo').some((call) => /-n env .*apt-get .*install .*softhsm2$/.test(call))).toBe(true);
  });

  test('only the virtual reader is missing and cannot be had: says so once and goes on', async () => {
    copy.uninstall('pcscd', 'vsmartcard-vpcd');
    const { status, stdout, stderr } = await copy.run(['server'], { user: 1000 });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'the program \n' });
    expect(stderr.match(/^Going on without pcscd, vsmartcard-vpcd; /gm)).toHaveLength(1);
  });

  test('optional packages that apt cannot get are not tried again at every start', async () => {
    copy.uninstall('pcscd');
    copy.mode('apt-get', 'no network');
    expect((await copy.run(['server'])).status).toBe(0);
    const before = copy.calls('apt-get').length;
    const { status, stderr } = await copy.run(['server']);
    expect(status).toBe(0);
    expect(stderr).toContain('Going on without pcscd');
    expect(copy.calls('apt-get')).toHaveLength(before);
  });

  test('commands that only look at the source ask for none of them', async () => {
    copy.uninstall('softhsm2');
    copy.write('node_modules/.keep', '');
    const { stderr } = await copy.run(['typecheck'], { user: 1000 });
    expect(stderr).not.toContain('Debian');
  });
});

/** Sentences only: nothing of a stack, of Node's own error names, of npm's codes. */
function expectNoStack(stderr: string): void {
  expect(stderr).not.toMatch(/^\s+at |Error:|node:internal|npm error|E:/m);
}
