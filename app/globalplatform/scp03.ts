/** Secure messaging of SCP03: C-MAC, C-DECRYPTION, R-MAC, R-ENCRYPTION (Amendment D 1.1.1 §6.2). */
import { type CommandApdu, encodeCommand, type ResponseApdu } from '../card/apdu.ts';
import { concat, equalBytes } from '../card/bytes.ts';
import { AesKey, scp03Kdf } from './aes.ts';
import { ChannelStateError, ResponseSecurityError } from './errors.ts';
import type { Messaging } from './messaging.ts';
import { pad80, unpad80 } from './padding.ts';
import { C_DECRYPTION, C_MAC, R_ENCRYPTION, R_MAC, type SecurityLevel } from './security-level.ts';
import { type ChannelSessionKeys, wipeSessionKeys } from './session-keys.ts';

const BLOCK = 16;

/** Card and host cryptogram (§6.2.2.2, §6.2.2.3), of as many bytes as the challenges have. */
export function scp03Cryptograms(
  mac: Uint8Array,
  hostChallenge: Uint8Array,
  cardChallenge: Uint8Array,
): { readonly card: Uint8Array; readonly host: Uint8Array } {
  const challenges = concat(hostChallenge, cardChallenge);
  return {
    card: scp03Kdf(mac, 0x00, challenges, hostChallenge.length),
    host: scp03Kdf(mac, 0x01, challenges, hostChallenge.length),
  };
}

/** What the answer to one command is checked with. */
interface Unanswered {
  readonly chaining: Uint8Array;
  readonly counter: number;
}

/** One session's state: the MAC chaining value and the command counter. */
export class Scp03Messaging implements Messaging {
  readonly #keys: ChannelSessionKeys;
  readonly #enc: AesKey;
  readonly #mac: AesKey;
  readonly #rmac: AesKey;
  readonly #level: SecurityLevel;
  readonly #macLength: number;
  #chaining: Uint8Array = new Uint8Array(BLOCK);
  /** Counts every command after EXTERNAL AUTHENTICATE, also those without data (§6.2.6). */
  #counter = 0;
  readonly #unanswered: Unanswered[] = [];

  constructor(keys: ChannelSessionKeys, level: SecurityLevel, macLength: 8 | 16) {
    this.#keys = keys;
    this.#enc = new AesKey(keys.enc);
    this.#mac = new AesKey(keys.mac);
    this.#rmac = new AesKey(keys.rmac);
    this.#level = level;
    this.#macLength = macLength;
  }

  externalAuthenticate(hostCryptogram: Uint8Array): Uint8Array {
    return this.#withMac({ cla: 0x84, ins: 0x82, p1: this.#level, p2: 0x00, data: hostCryptogram });
  }

  wrap(command: CommandApdu): Uint8Array {
    this.#counter += 1;
    const bytes = this.#protect(command);
    this.#await();
    return bytes;
  }

  unwrap(response: ResponseApdu): ResponseApdu {
    if ((this.#level & R_MAC) === 0) return response;
    const command = this.#unanswered.shift();
    if (command === undefined) throw new ChannelStateError('an answer without a command');
    const { sw } = response;
    if (!isProtected(sw)) {
      // Other answers carry no R-MAC, so nothing in them but the status word may be used (§6.2.5).
      if (response.data.length > 0) throw new ResponseSecurityError('unexpected', sw);
      return response;
    }
    const end = response.data.length - this.#macLength;
    if (end < 0) throw new ResponseSecurityError('mac-missing', sw);
    const body = response.data.slice(0, end);
    const message = concat(command.chaining, body, Uint8Array.of(sw >> 8, sw & 0xff));
    const mac = this.#rmac.cmac(message).slice(0, this.#macLength);
    if (!equalBytes(mac, response.data.slice(end))) throw new ResponseSecurityError('mac-wrong', sw);
    if ((this.#level & R_ENCRYPTION) === 0 || body.length === 0) return { data: body, sw };
    return { data: this.#decipher(body, command.counter, sw), sw };
  }

  replay(wrapped: CommandApdu): void {
    this.#counter += 1;
    const mac = (this.#level & C_MAC) === 0 ? 0 : this.#macLength;
    const { data = new Uint8Array(0) } = wrapped;
    const body = data.slice(0, Math.max(0, data.length - mac));
    // The MAC is over what was sent, so nothing has to be deciphered.
    const again = mac === 0 ? encodeCommand(wrapped) : this.#withMac({ ...wrapped, data: body });
    if (!equalBytes(again, encodeCommand(wrapped)))
      throw new ChannelStateError('not the next command of this session');
    this.#await();
  }

  /** The answer to the command just protected is to come. */
  #await(): void {
    if ((this.#level & R_MAC) !== 0)
      this.#unanswered.push({ chaining: this.#chaining, counter: this.#counter });
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
    if ((this.#level & C_DECRYPTION) === 0 || plain.length === 0) return this.#withMac(secured);
    const iv = this.#icv(this.#counter, 0x00);
    return this.#withMac({ ...secured, data: this.#enc.cbc(pad80(plain, BLOCK), iv) });
  }

  #withMac(command: CommandApdu): Uint8Array {
    const { cla, ins, p1, p2, data = new Uint8Array(0) } = command;
    const header = Uint8Array.of(cla, ins, p1, p2, data.length + this.#macLength);
    this.#chaining = this.#mac.cmac(concat(this.#chaining, header, data));
    return encodeCommand({ ...command, data: concat(data, this.#chaining.slice(0, this.#macLength)) });
  }

  #decipher(body: Uint8Array, counter: number, sw: number): Uint8Array {
    if (body.length % BLOCK !== 0) throw new ResponseSecurityError('padding-wrong', sw);
    const data = unpad80(this.#enc.cbcDecipher(body, this.#icv(counter, 0x80)));
    if (data === undefined) throw new ResponseSecurityError('padding-wrong', sw);
    return data;
  }

  /** The counter as a block, enciphered; answers have the top bit set (§6.2.6, §6.2.7). */
  #icv(counter: number, firstByte: number): Uint8Array {
    const block = new Uint8Array(BLOCK);
    block[0] = firstByte;
    new DataView(block.buffer).setUint32(BLOCK - 4, counter);
    return this.#enc.ecb(block);
  }
}

function isProtected(sw: number): boolean {
  const first = sw >> 8;
  return sw === 0x9000 || first === 0x62 || first === 0x63;
}
