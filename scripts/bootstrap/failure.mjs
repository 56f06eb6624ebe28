/** How set-up ends when it cannot go on: one sentence that says what happened and what to do next. */

/** Shown as it stands, without a stack; the process ends with `exitStatus`. */
export class Failure extends Error {
  constructor(sentence, exitStatus = 1) {
    super(sentence);
    this.name = 'Failure';
    this.exitStatus = exitStatus;
  }
}

/** Ctrl-C, SIGTERM or SIGHUP while things were being set up. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`Stopped by ${signal}.`);
    this.name = 'Interrupted';
    this.signal = signal;
  }
}

const NPM_CAUSES = [
  ['full', /ENOSPC|no space left on device|EDQUOT/i],
  [
    'broken',
    /EINTEGRITY|integrity checksum failed|TAR_BAD_ARCHIVE|zlib: unexpected end|Z_BUF_ERROR|Z_DATA_ERROR/,
  ],
  ['readonly', /\bEACCES\b|\bEROFS\b|\bEPERM\b/],
  ['certificate', /SELF_SIGNED_CERT|UNABLE_TO_(GET_ISSUER|VERIFY)|CERT_HAS_EXPIRED|DEPTH_ZERO_SELF_SIGNED/],
  [
    'network',
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET|EPROTO/,
  ],
  ['network', /\bE5\d\d\b|FETCH_ERROR|network/],
  ['refused', /\bE40[137]\b/],
  ['unknown package', /\bE404\b|ETARGET|notarget/],
  ['out of step', /in sync|EUSAGE/],
];

const APT_CAUSES = [
  ['full', /no space left on device|don't have enough free space/i],
  ['interrupted', /dpkg was interrupted|dpkg --configure -a/],
  ['locked', /could not get lock|unable to acquire|is held by process/i],
  [
    'network',
    /temporary failure resolving|could not resolve|could not connect|connection (failed|timed out)|unreachable/i,
  ],
  [
    'lists',
    /unable to locate package|no installation candidate|hash sum mismatch|404 {2}not found|failed to fetch/i,
  ],
  ['readonly', /read-only file system/i],
];

const causeIn = (table, output) => table.find(([, pattern]) => pattern.test(output))?.[0] ?? 'other';

/** Why npm ended, from what it printed. */
export const npmCause = (output) => causeIn(NPM_CAUSES, output);

/** Why apt or dpkg ended, from what they printed under LC_ALL=C. */
export const aptCause = (output) => causeIn(APT_CAUSES, output);

/** The line of a tool's output that says most, shortened. */
export function lastWords(output) {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.replace(/^(npm (error|ERR!|(?=warn))( code)?|E:|gyp ERR!)\s*/, '').trim())
    .filter(
      (line) =>
        line !== '' && !/complete log|npm help|^not ok$|^\(node:|^command (failed|sh)|^warn /.test(line),
    );
  const exact = lines.find((line) => /\berror: /i.test(line));
  const telling = lines.filter((line) => /error|fail|cannot|unable|missing|not found/i.test(line));
  return (exact ?? telling.at(-1) ?? lines.at(-1) ?? 'it said nothing').replace(/^Error: /, '').slice(0, 200);
}

/** An error of the file system, as a sentence; anything else is given back as it is. */
export function explainFileError(error, doing) {
  const at = error?.path ? ` at ${error.path}` : '';
  switch (error?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Failure(`The disk is full${at} (${doing}): free some room and run the command again.`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Failure(
        `No permission to write${at} (${doing}): run as the owner of this folder, or take a copy of your own.`,
      );
    default:
      return error;
  }
}
