/**
 * Whether files are for those only who need them. A PIN, a private key or a store that others of the machine may read is in their hands, whatever
 * else protects it; a configuration or a folder that others may write is theirs to exchange. Asked of the system as it is now, not promised.
 */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * `secret`: nobody but its owner may read or write it. `private`: its group may read it besides. `plain`: everybody may read it, nobody but
 * its owner write it. `secrets`: a folder that nobody
 * else has a way into, whatever the modes of the files in it. `kept`: secret, by its own mode or by that of its folder, because who
 * makes it chooses no mode.
 */
export interface GuardedFile {
  /** How the configuration names it. */
  readonly name: string;
  readonly path: string;
  readonly kind: 'secret' | 'private' | 'plain' | 'secrets' | 'kept';
}

const FORBIDDEN = { secret: 0o077, private: 0o027, plain: 0o022, secrets: 0o077, kept: 0o077 } as const;
const STICKY = 0o1000;
const OTHERS_WRITE = 0o022;
const WORDS = {
  secret: 'read',
  private: 'read or change',
  plain: 'change',
  secrets: 'read',
  kept: 'read',
} as const;

/** One sentence for each fault; none where all is well, and on Windows, whose files have no modes. A file that is not there has none. */
export function faultsOfFiles(files: readonly GuardedFile[]): string[] {
  if (process.platform === 'win32') return [];
  return [...new Set(files.flatMap(faultsOf))];
}

function faultsOf(file: GuardedFile): string[] {
  const stat = statSync(file.path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  const real = realpathSync(file.path);
  return [...faultOfOne(file, real, stat), ...faultsAbove(file.name, dirname(real))];
}

function faultOfOne({ name, kind }: GuardedFile, path: string, stat: Stats): string[] {
  const closedIn = kind === 'kept' && (statSync(dirname(path)).mode & FORBIDDEN.kept) === 0;
  if ((stat.mode & FORBIDDEN[kind]) !== 0 && !closedIn)
    return [`${name}: others may ${WORDS[kind]} ${path} (mode ${octal(stat)})`];
  return isStrange(stat) ? [`${name}: ${path} is another user's`] : [];
}

/** Who may write a folder may put another file under the name. A sticky one, as /tmp, keeps each file its owner's. */
function faultsAbove(name: string, folder: string): string[] {
  const stat = statSync(folder);
  const open = (stat.mode & OTHERS_WRITE) !== 0 && (stat.mode & STICKY) === 0;
  const here = open
    ? [`${name}: others may exchange what is in ${folder} (mode ${octal(stat)})`]
    : isStrange(stat)
      ? [`${name}: ${folder} is another user's`]
      : [];
  const above = dirname(folder);
  return above === folder ? here : [...here, ...faultsAbove(name, above)];
}

/** Neither ours nor the system's. Who runs this as root looks after other users' files. */
function isStrange({ uid }: Stats): boolean {
  const own = process.getuid?.() ?? 0;
  return own !== 0 && uid !== own && uid !== 0;
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
