/** Bytes or values of the FMCOS dialect that do not have the form they must have. The message never holds them. */
export class FmcosFormatError extends Error {
  readonly what: string;
  readonly offset: number;
  constructor(what: string, reason: string, offset = 0) {
    super(`${what}: ${reason} at offset ${offset}`);
    this.name = 'FmcosFormatError';
    this.what = what;
    this.offset = offset;
  }
}
