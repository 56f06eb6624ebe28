/** Looking at processes by their ids, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Every process below `pid`. */
export function childrenOf(pid: number): number[] {
  const direct = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
  return [
    ...direct,
    ...direct.flatMap((child) => (isAlive(child) ? safely(() => childrenOf(child), []) : [])),
  ];
}

export function isAlive(pid: number): boolean {
  return safely(() => !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')), false);
}

/** The command line, its words apart by spaces; '' for one that is gone. */
export function commandOf(pid: number): string {
  return safely(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '), '');
}

/** Processes come and go while one looks. */
function safely<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
