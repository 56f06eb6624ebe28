/**
 * Closes the ways on which key material could leave a vault process other than in an answer: core dumps, and other processes of
 * the same user that read its memory (ptrace, /proc/<pid>/mem). The process also ends with its server. On systems other than Linux
 * only new files are protected, by their mode. See docs/decisions/0004-vault-process.md.
 */
import koffi from 'koffi';

const PR_SET_PDEATHSIG = 1;
const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const SIGKILL = 9;
const RLIMIT_CORE = 4;

function hardenLinux(): void {
  const libc = koffi.load(null);
  const prctl = libc.func(
    'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  );
  const setrlimit = libc.func('int setrlimit(int resource, const uint64_t *limit)');
  const failed = [
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0),
    // The kernel ends it when its parent goes: it would not see that itself while a module hangs in a call.
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0),
    setrlimit(RLIMIT_CORE, new BigUint64Array([0n, 0n])),
    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0),
  ].some((result) => result !== 0);
  if (failed) throw new Error('the vault process cannot be protected');
}

/** Hardens this process. @throws Error when the system refuses: then no PIN may be read. */
export function harden(): void {
  process.umask(0o077);
  if (process.platform === 'linux') hardenLinux();
}
