/** SCP03 on the card's side, S8 (GPC Amendment D 1.1.1) and S16 (1.2). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, equalBytes, wipe } from '../../card/bytes.ts';
import { aesCbcDecrypt, aesCbcEncrypt, aesCmac, aesEcbEncrypt, pad80, unpad80 } from '../crypto.ts';
import { Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { type Channel, LEVEL, macHeader, plainCla, type StaticKeys, withData } from './channel.ts';

/** Data derivation constants (table 4-1). */
const DERIVE = { cardCryptogram: 0, hostCryptogram: 1, challenge: 2, sEnc: 4, sMac: 6, sRmac: 7 } as const;

/** Option bits of "i" (table 5-1). */
const I = { s16: 0x01, pseudoRandom: 0x10, rMac: 0x20, rEncryption: 0x40 } as const;

/** Security levels of EXTERNAL AUTHENTICATE (table 7-6) and the option bits each needs. */
const LEVELS = new Map([
  [0x00, 0],
  [0x01, 0],
  [0x03, 0],
  [0x11, I.rMac],
  [0x13, I.rMac],
  [0x33, I.rMac | I.rEncryption],
]);

/** Key derivation (§4.1.5): NIST SP 800-108 counter mode with CMAC. `bits` is the length wanted. */
function scp03Derive(key: Uint8Array, constant: number, bits: number, context: Uint8Array): Uint8Array {
  const label = new Uint8Array(12);
  label[11] = constant;
  const blocks: Uint8Array[] = [];
  for (let i = 1; blocks.length * 128 < bits; i += 1)
    blocks.push(aesCmac(key, concat(label, Uint8Array.of(0, bits >> 8, bits & 0xff, i), context)));
  return concat(...blocks).slice(0, bits / 8);
}

/** Pseudo-random card challenge (§6.2.2.1): from the static Key-ENC, the sequence counter and the domain's AID. */
export function scp03Challenge(
  enc: Uint8Array,
  counter: Uint8Array,
  aid: Uint8Array,
  length: 8 | 16 = 8,
): Uint8Array {
  return scp03Derive(enc, DERIVE.challenge, length * 8, concat(counter, aid));
}

/** What INITIALIZE UPDATE needs of the card. */
interface Scp03Start {
  readonly keys: StaticKeys;
  readonly i: number;
  readonly hostChallenge: Uint8Array;
  readonly sequenceCounter: number;
  readonly aid: Uint8Array;
  readonly random: Turn['random'];
}

/** Answers INITIALIZE UPDATE: everything after the key diversification data, and the way to open the channel. */
export function startScp03(start: Scp03Start): {
  answer: Uint8Array;
  open(data: Uint8Array, level: number): Channel;
} {
  const { keys, i } = start;
  const counter = Uint8Array.of(
    (start.sequenceCounter >> 16) & 0xff,
    (start.sequenceCounter >> 8) & 0xff,
    start.sequenceCounter & 0xff,
  );
  const predictable = (i & I.pseudoRandom) !== 0;
  const length = (i & I.s16) !== 0 ? 16 : 8;
  const cardChallenge = predictable
    ? scp03Challenge(keys.enc, counter, start.aid, length)
    : start.random(length);
  const context = concat(start.hostChallenge, cardChallenge);
  const mac = scp03Derive(keys.mac, DERIVE.sMac, keys.mac.length * 8, context);
  return {
    answer: concat(
      Uint8Array.of(keys.version, 0x03, i),
      cardChallenge,
      scp03Derive(mac, DERIVE.cardCryptogram, length * 8, context),
      predictable ? counter : new Uint8Array(0),
    ),
    open(data, level) {
      const needs = LEVELS.get(level);
      if (needs === undefined || (i & needs) !== needs) throw new Refusal(SW.wrongP1P2);
      const cryptogram = scp03Derive(mac, DERIVE.hostCryptogram, length * 8, context);
      if (!equalBytes(cryptogram, data.slice(0, length))) throw new Refusal(SW.authenticationFailed);
      const header = Uint8Array.of(0x84, 0x82, level, 0x00, 2 * length);
      const chaining = aesCmac(mac, concat(new Uint8Array(16), header, cryptogram));
      if (!equalBytes(chaining.slice(0, length), data.slice(length))) throw new Refusal(SW.securityStatus);
      return new Scp03Channel({ level, length, keys, mac, context, chaining });
    },
  };
}

interface Session {
  readonly level: number;
  /** Bytes of a MAC as sent. */
  readonly length: 8 | 16;
  readonly keys: StaticKeys;
  /** S-MAC. */
  readonly mac: Uint8Array;
  readonly context: Uint8Array;
  /** MAC chaining value: the whole C-MAC of EXTERNAL AUTHENTICATE. */
  readonly chaining: Uint8Array;
}

class Scp03Channel implements Channel {
  readonly keyVersion: number;
  readonly level: number;
  readonly responseRoom: number;
  readonly #length: 8 | 16;
  readonly #enc: Uint8Array;
  readonly #mac: Uint8Array;
  readonly #rmac: Uint8Array;
  readonly #dek: Uint8Array;
  #chaining: Uint8Array;
  /** Counts commands, with or without data (§6.2.6). */
  #counter = 0;

  constructor({ level, length, keys, mac, context, chaining }: Session) {
    this.keyVersion = keys.version;
    this.level = level;
    this.#length = length;
    const protectedRoom = 256 - length;
    const encrypted = this.#has(LEVEL.rEncryption);
    // Whole blocks, one byte of which is padding.
    this.responseRoom = encrypted
      ? Math.floor(protectedRoom / 16) * 16 - 1
      : this.#has(LEVEL.rMac)
        ? protectedRoom
        : 256;
    this.#enc = scp03Derive(keys.enc, DERIVE.sEnc, keys.enc.length * 8, context);
    this.#mac = mac;
    this.#rmac = scp03Derive(keys.mac, DERIVE.sRmac, keys.mac.length * 8, context);
    this.#dek = keys.dek;
    this.#chaining = chaining;
  }

  unwrap(command: CommandApdu): CommandApdu {
    this.#counter += 1;
    const secured = (command.cla & 0x04) !== 0;
    // §5.6: a command may exceed the security level, so a MAC that nobody asked for is checked all the same.
    if (!secured && !this.#has(LEVEL.cMac)) return command;
    const data = command.data ?? new Uint8Array(0);
    if (!secured || data.length < this.#length) throw new Refusal(SW.securityStatus);
    const body = data.slice(0, -this.#length);
    const chaining = aesCmac(
      this.#mac,
      concat(this.#chaining, macHeader(command, command.cla, data.length), body),
    );
    if (!equalBytes(chaining.slice(0, this.#length), data.slice(-this.#length)))
      throw new Refusal(SW.securityStatus);
    this.#chaining = chaining;
    return withData(command, plainCla(command.cla), this.#decrypt(body));
  }

  wrap(response: ResponseApdu): ResponseApdu {
    const warning = response.sw >> 8 === 0x62 || response.sw >> 8 === 0x63;
    if (!this.#has(LEVEL.rMac) || (response.sw !== SW.ok && !warning)) return response;
    const data = this.#encrypt(response.data);
    const sw = Uint8Array.of(response.sw >> 8, response.sw & 0xff);
    const mac = aesCmac(this.#rmac, concat(this.#chaining, data, sw)).slice(0, this.#length);
    return { data: concat(data, mac), sw: response.sw };
  }

  decryptKey(cipher: Uint8Array): Uint8Array {
    if (cipher.length === 0 || cipher.length % 16 !== 0) throw new Refusal(SW.wrongData);
    return aesCbcDecrypt(this.#dek, cipher);
  }

  end(): void {
    wipe(this.#enc, this.#mac, this.#rmac, this.#dek);
  }

  #has(bit: number): boolean {
    return (this.level & bit) !== 0;
  }

  #iv(response: boolean): Uint8Array {
    const block = new Uint8Array(16);
    new DataView(block.buffer).setUint32(12, this.#counter);
    if (response) block[0] = 0x80;
    return aesEcbEncrypt(this.#enc, block);
  }

  #decrypt(body: Uint8Array): Uint8Array {
    if (!this.#has(LEVEL.cDecryption) || body.length === 0) return body;
    if (body.length % 16 !== 0) throw new Refusal(SW.securityStatus);
    const plain = unpad80(aesCbcDecrypt(this.#enc, body, this.#iv(false)));
    if (plain === undefined) throw new Refusal(SW.securityStatus);
    return plain;
  }

  #encrypt(data: Uint8Array): Uint8Array {
    if (!this.#has(LEVEL.rEncryption) || data.length === 0) return data;
    return aesCbcEncrypt(this.#enc, pad80(data, 16), this.#iv(true));
  }
}
