/** The programs and files a rig is made of, and how to run one of them. */
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders of system programs that are often missing from an ordinary user's PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/usr/bin', '/bin'];

const DRIVER_FOLDERS = [
  '/usr/lib/pcsc/drivers/serial',
  '/usr/lib64/pcsc/drivers/serial',
  '/usr/lib/x86_64-linux-gnu/pcsc/drivers/serial',
  '/usr/lib/aarch64-linux-gnu/pcsc/drivers/serial',
  '/usr/local/lib/pcsc/drivers/serial',
];

/** PATH with the folders of system programs. */
export function systemPath(): string {
  return [process.env['PATH'] ?? '', ...SYSTEM_FOLDERS].filter(Boolean).join(':');
}

/** Where `program` is, or undefined. */
export async function findProgram(program: string): Promise<string | undefined> {
  return await firstUsable(
    systemPath()
      .split(':')
      .map((folder) => join(folder, program)),
    constants.X_OK,
  );
}

/** Where vpcd's driver is, or undefined. */
export async function findDriver(): Promise<string | undefined> {
  return await firstUsable(
    DRIVER_FOLDERS.map((folder) => join(folder, 'libifdvpcd.so')),
    constants.R_OK,
  );
}

async function firstUsable(paths: readonly string[], mode: number): Promise<string | undefined> {
  for (const path of paths) {
    try {
      await access(path, mode);
      return path;
    } catch {
      // The next one.
    }
  }
  return undefined;
}

/** Runs a program to its end. Gives its exit code (null: it was ended) and what it said on stderr. */
export function run(
  program: string,
  args: readonly string[],
  timeoutMs = 5000,
): Promise<{ code: number | null; stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH: systemPath() },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-2000);
    });
    child.once('error', (error) => resolve({ code: null, stderr: error.message }));
    child.once('close', (code) => resolve({ code, stderr: stderr.trim() }));
  });
}
