/** Ctrl-C and its relatives: everything that was started ends, checked by process id. */
import { describe, expect, test } from 'vitest';
import { freshCopy, isRunning } from './fake-copy.ts';

const copy = freshCopy();

describe('the program', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends it and all that came of it, and the exit status says so', async (signal, expected) => {
    copy.program(programWithFamily(''));
    const start = copy.start(['server']);
    await familyIsUp();
    expect(copy.pids().every(isRunning)).toBe(true);
    start.child.kill(signal);
    const { status } = await start.ended;
    expect(status).toBe(expected);
    expect(copy.pids().filter(isRunning)).toEqual([]);
  });

  test('one that does not listen is ended after the time it had', async () => {
    copy.program(programWithFamily(`process.on('SIGINT', () => console.log('heard'));`));
    const start = copy.start(['server'], { env: { KAIKA_STOP_SECONDS: '0.5' } });
    await familyIsUp();
    start.child.kill('SIGINT');
    const { status, stdout, stderr } = await start.ended;
    expect(status).toBe(130);
    expect(stdout).toBe('heard\n');
    expect(stderr).toContain('did not stop by itself');
    expect(copy.pids().filter(isRunning)).toEqual([]);
  });

  test('the same Ctrl-C from the terminal and from npm is one to it, and it may take its time', async () => {
    copy.program(`
      process.on('SIGINT', () => {
        console.log('asked');
        setTimeout(() => { console.log('put in order'); process.exit(0); }, 300);
      });
      console.log('up');
      setInterval(() => {}, 1000);`);
    const start = copy.start(['server']);
    await start.said('up');
    start.child.kill('SIGINT');
    await start.said('asked');
    start.child.kill('SIGINT');
    const { status, stdout } = await start.ended;
    expect(status).toBe(130);
    expect(stdout).toBe('up\nasked\nput in order\n');
  });

  test('one that dies by a signal of its own is reported as the shells do', async () => {
    copy.program(`process.kill(process.pid, 'SIGKILL');`);
    expect((await copy.run(['server'])).status).toBe(137);
  });

  test('what a program leaves behind when it ends is ended with it', async () => {
    copy.program(`
      const { spawn } = await import('node:child_process');
      const code = ${JSON.stringify(`(async () => {${copy.notesItsPid} setInterval(() => {}, 1000);})();`)};
      spawn(process.execPath, ['-e', code], { stdio: 'ignore' }).unref();
      const { existsSync } = await import('node:fs');
      const look = setInterval(() => existsSync(${JSON.stringify(`${copy.base}/pids`)}) && process.exit(3), 20);`);
    expect((await copy.run(['server'])).status).toBe(3);
    expect(copy.pids()).toHaveLength(1);
    expect(copy.pids().filter(isRunning)).toEqual([]);
  });
});

describe('setting up', () => {
  test('Ctrl-C ends npm and its children, removes what is half-made and the lock, and the next run repairs', async () => {
    copy.mode('npm', 'hangs', 'works');
    const start = copy.start(['server']);
    await expect.poll(() => copy.pids().length).toBe(2);
    start.child.kill('SIGINT');
    const { status, stdout, stderr } = await start.ended;
    expect({ status, stdout }).toEqual({ status: 130, stdout: '' });
    expect(stderr).toContain('Stopped before set-up was done; the next run goes on from there.');
    expect(copy.pids().filter(isRunning)).toEqual([]);
    expect(copy.has('node_modules')).toBe(false);
    expect(copy.has('scripts/.state/lock')).toBe(false);
    expect((await copy.run(['server'])).status).toBe(0);
  });

  test('Ctrl-C lets dpkg finish what it is doing', async () => {
    copy.uninstall('softhsm2');
    copy.mode('apt-get', 'hangs until asked', 'works');
    const start = copy.start(['server']);
    await expect.poll(() => copy.pids().length).toBe(1);
    start.child.kill('SIGINT');
    expect((await start.ended).status).toBe(130);
    expect(copy.has('../dpkg-finished')).toBe(true);
    expect(copy.calls('npm')).toHaveLength(0);
    expect((await copy.run(['server'])).status).toBe(0);
  });

  test('Ctrl-C while waiting for another start ends at once', async () => {
    copy.write('scripts/.state/lock', JSON.stringify({ pid: 1, start: '0', host: 'another machine' }));
    const start = copy.start(['server']);
    await start.said('waiting for it');
    start.child.kill('SIGINT');
    expect((await start.ended).status).toBe(130);
    expect(copy.has('scripts/.state/lock')).toBe(true);
  });
});

/** A program with a child in its own group, and one in a group of its own with a child in turn. */
function programWithFamily(onSignal: string): string {
  return `
    const { spawn } = await import('node:child_process');
    const note = ${JSON.stringify(copy.notesItsPid)};
    const idle = 'setInterval(() => {}, 1000);';
    const wrap = (code) => '(async () => {' + code + '})();';
    const deaf = "process.on('SIGINT', () => {}); process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {});";
    const inner = 'const { spawn } = await import("node:child_process");' +
      'spawn(process.execPath, ["-e", ' + JSON.stringify(wrap(deaf + note + idle)) + '], { stdio: "ignore" });';
    spawn(process.execPath, ['-e', wrap(note + idle)], { stdio: 'ignore' });
    spawn(process.execPath, ['-e', wrap(inner + note + idle)], { stdio: 'ignore', detached: true });
    ${onSignal}
    ${copy.notesItsPid}
    setInterval(() => {}, 1000);`;
}

const familyIsUp = (): Promise<void> => expect.poll(() => copy.pids().length).toBe(4);
