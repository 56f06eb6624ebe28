/** `npm run card`: a virtual card in a reader, until Ctrl-C. Everything but the help goes to standard error. */
import { CardFileError } from '../card-file.ts';
import { ReplayFileError } from '../dialogue/replay-file.ts';
import { OrderError } from '../shop.ts';
import { parseOptions, usage } from './options.ts';
import { inOwnPcscd } from './own-pcscd.ts';
import { type Place, PlaceError } from './place.ts';
import { inRunningVpcd } from './running-vpcd.ts';
import { cardSource } from './source.ts';
import { UsageError } from './values.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);
const STATUS: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(usage());
    return 0;
  }
  const stop = new AbortController();
  let status: number | undefined;
  for (const signal of Object.keys(STATUS)) {
    process.on(signal, () => {
      status ??= STATUS[signal];
      stop.abort();
    });
  }
  const card = await cardSource(options);
  for (const remark of card.remarks) say(remark);
  say(`Card: ${card.description}.`);
  if (options.traceFull)
    say(
      'TRACE WITHOUT MASKS: keys and personal data go to the trace as they are. Never do this with a real card.',
    );
  const place: Place = { card, options, say, stop: stop.signal };
  await (options.pcscd ? inOwnPcscd(place) : inRunningVpcd(place));
  return status ?? 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof UsageError || error instanceof OrderError) {
    say(error.message);
    process.exitCode = 2;
  } else if (
    error instanceof CardFileError ||
    error instanceof ReplayFileError ||
    error instanceof PlaceError
  ) {
    say(error.message);
    process.exitCode = 1;
  } else {
    say(fileSentence(error));
    process.exitCode = 1;
  }
}

/** The file system's errors in a sentence; anything else as it is. */
function fileSentence(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const path = error instanceof Error && 'path' in error ? String(error.path) : '';
  const reason = FILE_REASONS[code];
  if (reason !== undefined && path !== '') return `${path} ${reason}.`;
  return `The card ended unexpectedly: ${error instanceof Error ? error.message : String(error)}.`;
}

const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is in a folder that is not there',
  EACCES: 'may not be written by you',
  EPERM: 'may not be written by you',
  EISDIR: 'is a folder',
  ENOTDIR: 'is in something that is no folder',
  EROFS: 'is on a disk that cannot be written',
  ENOSPC: 'does not fit on the disk',
};
