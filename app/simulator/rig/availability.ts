/** Whether a rig can run here, found out by trying, and if not, why. */
import { findDriver, findProgram, run } from './tools.ts';

/** How a process gets namespaces of its own: as root, as the root of a user namespace, or through sudo. */
type Entry = 'root' | 'user-namespace' | 'sudo';

/**
 * Why there can be no rig: not Linux; pcscd or vpcd's driver not installed (Debian: pcscd, vsmartcard-vpcd); unshare,
 * mount or ip missing (util-linux, mount, iproute2); root without the right to make namespaces (a container); an
 * ordinary user where user namespaces are forbidden and sudo asks for a password.
 */
export type RigObstacle =
  | 'not-linux'
  | 'pcscd-missing'
  | 'driver-missing'
  | 'tools-missing'
  | 'no-rights'
  | 'no-user-namespaces';

/** What a rig needs, or what stands in its way. `detail` is for the log. */
export type RigAvailability =
  | { readonly available: true; readonly entry: Entry; readonly pcscd: string; readonly driver: string }
  | { readonly available: false; readonly obstacle: RigObstacle; readonly detail: string };

const TOOLS = ['unshare', 'mount', 'ip', 'sh'];

/** The part of every entry that is the same. A PID namespace, so that nothing outlives the first process in it. */
const UNSHARE = ['unshare', '--mount', '--net', '--pid', '--fork', '--kill-child=SIGKILL'];

/** What must work inside; some systems grant the namespace but nothing in it. */
const TRIAL = ['sh', '-c', 'ip link set lo up && mount -t tmpfs tmpfs /run'];

/** The command line that runs `command` in namespaces of its own. */
export function inNamespaces(entry: Entry, command: readonly string[]): string[] {
  switch (entry) {
    case 'root':
      return [...UNSHARE, '--', ...command];
    case 'user-namespace':
      return [...UNSHARE, '--user', '--map-root-user', '--', ...command];
    case 'sudo':
      return ['sudo', '-n', ...UNSHARE, '--', ...command];
  }
}

/** Finds out whether a rig can run here. */
export async function rigAvailability(): Promise<RigAvailability> {
  if (process.platform !== 'linux') return unavailable('not-linux', process.platform);
  const pcscd = await findProgram('pcscd');
  if (pcscd === undefined) return unavailable('pcscd-missing', 'pcscd');
  const driver = await findDriver();
  if (driver === undefined) return unavailable('driver-missing', 'libifdvpcd.so');
  for (const tool of TOOLS) {
    if ((await findProgram(tool)) === undefined) return unavailable('tools-missing', tool);
  }
  const isRoot = process.getuid?.() === 0;
  const entries: readonly Entry[] = isRoot ? ['root'] : ['user-namespace', 'sudo'];
  let detail = '';
  for (const entry of entries) {
    const [program = '', ...args] = inNamespaces(entry, TRIAL);
    const { code, stderr } = await run(program, args);
    if (code === 0) return { available: true, entry, pcscd, driver };
    detail = detail || stderr;
  }
  return unavailable(isRoot ? 'no-rights' : 'no-user-namespaces', detail);
}

function unavailable(obstacle: RigObstacle, detail: string): RigAvailability {
  return { available: false, obstacle, detail };
}
