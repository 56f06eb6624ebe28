/** What the rig's process does to the namespaces it was started in; nothing of it is seen outside. */
import { mkdir, stat } from 'node:fs/promises';
import { run } from './tools.ts';

/** Where pcscd puts its socket; compiled into it. */
export const PCSCD_FOLDER = '/run/pcscd';

/**
 * Brings up the loopback and puts `folder` in the place of /run/pcscd.
 * @throws Error with what the failing program said.
 */
export async function prepareNamespace(folder: string): Promise<void> {
  await must('ip', ['link', 'set', 'lo', 'up']);
  // vpcd sends length and payload apart without TCP_NODELAY; without quick acknowledgements each command waits 44 ms.
  for (const destination of ['127.0.0.1', '127.0.0.0/8']) {
    const route = `${destination} dev lo table local proto kernel scope host src 127.0.0.1 quickack 1`;
    await must('ip', ['route', 'change', 'local', ...route.split(' ')]);
  }
  if (!(await isFolder(PCSCD_FOLDER))) {
    // On a machine that never ran pcscd, and in a user namespace, nothing may be made in the real /run.
    await must('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
    await mkdir(PCSCD_FOLDER);
  }
  await must('mount', ['--bind', folder, PCSCD_FOLDER]);
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args[0] ?? ''}: ${stderr}`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
