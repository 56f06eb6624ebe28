/** What can be wrong with what a card or a package says. Messages name what and where, never data. */

/** Bytes do not have the form their specification gives; `offset` counts from 0 within `what`. */
export class GpFormatError extends Error {
  readonly what: string;
  readonly offset: number;
  constructor(what: string, reason: string, offset: number) {
    super(`${what}: ${reason} at offset ${offset}`);
    this.name = 'GpFormatError';
    this.what = what;
    this.offset = offset;
  }
}

/** Protocol, options (i) and security level do not fit each other or the card's answer. */
export class ChannelParameterError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ChannelParameterError';
  }
}

/**
 * The card's cryptogram is not the one its keys give: another key set, or not our card. EXTERNAL AUTHENTICATE must
 * not be sent, it would spend a try.
 */
export class CardCryptogramError extends Error {
  constructor() {
    super('card cryptogram does not match');
    this.name = 'CardCryptogramError';
  }
}

/** An answer inside the channel is not the card's: its R-MAC is missing or wrong, or its padding is. The channel is over. */
export class ResponseSecurityError extends Error {
  readonly reason: 'mac-missing' | 'mac-wrong' | 'padding-wrong' | 'unexpected';
  /** The status word that came with it; not authentic. */
  readonly sw: number;
  constructor(reason: ResponseSecurityError['reason'], sw: number) {
    super(`secure channel answer: ${reason}`);
    this.name = 'ResponseSecurityError';
    this.reason = reason;
    this.sw = sw;
  }
}

/** A method was called out of order, or after the channel was closed. */
export class ChannelStateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ChannelStateError';
  }
}

/** A load file that no card can take in blocks of this size: LOAD numbers its blocks 00 to FF (GPC 2.3.1 §11.6.2.2). */
export class LoadFileTooLarge extends Error {
  /** Largest load file data block and what it has, both in bytes without the C4 tag and length. */
  readonly limit: number;
  readonly size: number;
  constructor(limit: number, size: number) {
    super(`load file of ${size} bytes, at most ${limit} can be loaded`);
    this.name = 'LoadFileTooLarge';
    this.limit = limit;
    this.size = size;
  }
}
