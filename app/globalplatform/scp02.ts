/** Secure messaging of SCP02: C-MAC, C-DECRYPTION, R-MAC (GPC 2.3.1 annex E.4). */
import { type CommandApdu, encodeCommand, type ResponseApdu } from '../card/apdu.ts';
import { concat, equalBytes } from '../card/bytes.ts';
import { DesKey, desCbcMac, RetailMacKey } from './des.ts';
import { ChannelStateError, ResponseSecurityError } from './errors.ts';
import type { Messaging } from './messaging.ts';
import { pad80, unpad80 } from './padding.ts';
import { C_DECRYPTION, C_MAC, R_MAC, SCP02_ICV_ENCRYPTION, type SecurityLevel } from './security-level.ts';
import { type ChannelSessionKeys, wipeSessionKeys } from './session-keys.ts';

const MAC_LENGTH = 8;
const NOT_NEXT = 'not the next command of this session';

/** Card and host cryptogram (GPC 2.3.1 §E.4.2): a full triple DES MAC under S-ENC. */
export function scp02Cryptograms(
  enc: Uint8Array,
  hostChallenge: Uint8Array,
  sequenceCounter: Uint8Array,
  cardChallenge: Uint8Array,
): { readonly card: Uint8Array; readonly host: Uint8Array } {
  return {
    card: desCbcMac(enc, pad80(concat(hostChallenge, sequenceCounter, cardChallenge), 8)),
    host: desCbcMac(enc, pad80(concat(sequenceCounter, cardChallenge, hostChallenge), 8)),
  };
}

/** One session's state: the C-MAC chain over commands and the R-MAC chain over answers. */
export class Scp02Messaging implements Messaging {
  readonly #keys: ChannelSessionKeys;
  readonly #enc: DesKey;
  readonly #mac: RetailMacKey;
  readonly #rmac: RetailMacKey;
  readonly #i: number;
  readonly #level: SecurityLevel;
  #lastCommandMac: Uint8Array | undefined;
  #lastResponseMac: Uint8Array | undefined;
  /** The commands whose answers have not come yet, as the R-MAC sees them. */
  readonly #unanswered: Uint8Array[] = [];

  /** `externalAuthenticateMac`: continues after that command; left out at the start of a session. */
  constructor(
    keys: ChannelSessionKeys,
    i: number,
    level: SecurityLevel,
    externalAuthenticateMac?: Uint8Array,
  ) {
    this.#keys = keys;
    this.#enc = new DesKey(keys.enc);
    this.#mac = new RetailMacKey(keys.mac);
    this.#rmac = new RetailMacKey(keys.rmac);
    this.#i = i;
    this.#level = level;
    this.#lastCommandMac = externalAuthenticateMac?.slice();
    this.#lastResponseMac = externalAuthenticateMac?.slice();
  }

  externalAuthenticate(hostCryptogram: Uint8Array): Uint8Array {
    const command = { cla: 0x84, ins: 0x82, p1: this.#level, p2: 0x00, data: hostCryptogram };
    const mac = this.#commandMac(command);
    // §E.3.5: the R-MAC chain starts with the C-MAC of EXTERNAL AUTHENTICATE.
    this.#lastResponseMac = mac.slice();
    return encodeCommand({ ...command, data: concat(hostCryptogram, mac) });
  }

  wrap(command: CommandApdu): Uint8Array {
    const protectedCommand = this.#protect(command);
    if ((this.#level & R_MAC) !== 0) this.#unanswered.push(stripped(command));
    return protectedCommand;
  }

  unwrap(response: ResponseApdu): ResponseApdu {
    if ((this.#level & R_MAC) === 0) return response;
    const command = this.#unanswered.shift();
    const chain = this.#lastResponseMac;
    if (command === undefined || chain === undefined)
      throw new ChannelStateError('an answer without a command');
    const end = response.data.length - MAC_LENGTH;
    if (end < 0) throw new ResponseSecurityError('mac-missing', response.sw);
    const data = response.data.slice(0, end);
    const trailer = Uint8Array.of(response.sw >> 8, response.sw & 0xff);
    const message = concat(command, Uint8Array.of(data.length & 0xff), data, trailer);
    const mac = this.#rmac.mac(pad80(message, 8), chain);
    if (!equalBytes(mac, response.data.slice(end))) throw new ResponseSecurityError('mac-wrong', response.sw);
    this.#lastResponseMac = mac;
    return { data, sw: response.sw };
  }

  replay(wrapped: CommandApdu): void {
    const again = this.wrap(this.#unprotected(wrapped));
    if (!equalBytes(again, encodeCommand(wrapped))) throw new ChannelStateError(NOT_NEXT);
  }

  /** The command as it was before `#protect`. @throws ChannelStateError */
  #unprotected(wrapped: CommandApdu): CommandApdu {
    if ((this.#level & C_MAC) === 0) return wrapped;
    const { data = new Uint8Array(0), ...header } = wrapped;
    const body = data.slice(0, Math.max(0, data.length - MAC_LENGTH));
    const plain = { ...header, cla: header.cla & ~0x04 };
    if (body.length === 0) return plain;
    if ((this.#level & C_DECRYPTION) === 0) return { ...plain, data: body };
    const clear = body.length % 8 === 0 ? unpad80(this.#enc.cbcDecipher(body)) : undefined;
    if (clear === undefined) throw new ChannelStateError(NOT_NEXT);
    return { ...plain, data: clear };
  }

  wipe(): void {
    wipeSessionKeys(this.#keys);
    this.#enc.close();
    this.#mac.close();
    this.#rmac.close();
    this.#unanswered.length = 0;
  }

  #protect(command: CommandApdu): Uint8Array {
    if ((this.#level & C_MAC) === 0) return encodeCommand(command);
    const secured = { ...command, cla: command.cla | 0x04 };
    const plain = command.data ?? new Uint8Array(0);
    // The MAC is over the plain data, with the length it has together with the MAC; encryption comes after (§E.4.4, §E.4.6).
    const mac = this.#commandMac(secured);
    const encrypts = (this.#level & C_DECRYPTION) !== 0 && plain.length > 0;
    const body = encrypts ? this.#enc.cbc(pad80(plain, 8)) : plain;
    return encodeCommand({ ...secured, data: concat(body, mac) });
  }

  #commandMac(command: CommandApdu): Uint8Array {
    const { cla, ins, p1, p2, data = new Uint8Array(0) } = command;
    const message = concat(Uint8Array.of(cla, ins, p1, p2, data.length + MAC_LENGTH), data);
    const mac = this.#mac.mac(pad80(message, 8), this.#commandIcv());
    this.#lastCommandMac = mac;
    return mac;
  }

  #commandIcv(): Uint8Array {
    if (this.#lastCommandMac === undefined) return new Uint8Array(8);
    if ((this.#i & SCP02_ICV_ENCRYPTION) === 0) return this.#lastCommandMac;
    return this.#mac.leftEcb(this.#lastCommandMac);
  }
}

/** The command as it was before it was protected, without Le, Lc always there (§E.4.5). */
function stripped(command: CommandApdu): Uint8Array {
  const data = command.data ?? new Uint8Array(0);
  return concat(Uint8Array.of(command.cla & ~0x07, command.ins, command.p1, command.p2, data.length), data);
}
