/** SCP02 on the card's side: explicit initiation, three keys, C-MAC on the modified APDU (GPC 2.3.1 appendix E). */
import type { CommandApdu, ResponseApdu } from '../../card/apdu.ts';
import { concat, equalBytes, wipe } from '../../card/bytes.ts';
import {
  desCbcDecrypt,
  desCbcEncrypt,
  desEcbDecrypt,
  desEcbEncrypt,
  desMac,
  fullDes3Mac,
  unpad80,
} from '../crypto.ts';
import { Refusal, SW } from '../status-words.ts';
import type { Turn } from '../turn.ts';
import { type Channel, LEVEL, macHeader, plainCla, type StaticKeys, withData } from './channel.ts';

/** Session key derivation constants (table E-4). */
const DERIVE = { cMac: 0x01, rMac: 0x02, dek: 0x81, enc: 0x82 } as const;

/** Option bits of "i" (table E-1). */
const I = { icvEncryption: 0x10, rMac: 0x20, pseudoRandom: 0x40 } as const;

/** Session key (E.4.1): 3DES-CBC over constant, sequence counter and zeros. */
export function scp02SessionKey(key: Uint8Array, constant: number, counter: Uint8Array): Uint8Array {
  return desCbcEncrypt(key, concat(Uint8Array.of(0x01, constant), counter, new Uint8Array(12)));
}

/** The well-known pseudo-random card challenge (E.4.2.3): left 6 bytes of the C-MAC over the AID. */
export function scp02Challenge(sMac: Uint8Array, aid: Uint8Array): Uint8Array {
  return desMac(sMac, aid).slice(0, 6);
}

/** What INITIALIZE UPDATE needs of the card. */
interface Scp02Start {
  readonly keys: StaticKeys;
  readonly i: number;
  readonly hostChallenge: Uint8Array;
  readonly sequenceCounter: number;
  readonly aid: Uint8Array;
  readonly random: Turn['random'];
}

/** Answers INITIALIZE UPDATE: everything after the key diversification data, and the way to open the channel. */
export function startScp02(start: Scp02Start): {
  answer: Uint8Array;
  open(data: Uint8Array, level: number): Channel;
} {
  const { keys, i, hostChallenge } = start;
  const counter = Uint8Array.of((start.sequenceCounter >> 8) & 0xff, start.sequenceCounter & 0xff);
  const mac = scp02SessionKey(keys.mac, DERIVE.cMac, counter);
  const enc = scp02SessionKey(keys.enc, DERIVE.enc, counter);
  const challenge = (i & I.pseudoRandom) !== 0 ? scp02Challenge(mac, start.aid) : start.random(6);
  return {
    answer: concat(
      Uint8Array.of(keys.version, 0x02),
      counter,
      challenge,
      fullDes3Mac(enc, concat(hostChallenge, counter, challenge)),
    ),
    open(data, level) {
      if (![0x00, 0x01, 0x03].includes(level & ~LEVEL.rMac)) throw new Refusal(SW.wrongP1P2);
      if ((level & LEVEL.rMac) !== 0 && (i & I.rMac) === 0) throw new Refusal(SW.wrongP1P2);
      const cryptogram = fullDes3Mac(enc, concat(counter, challenge, hostChallenge));
      if (!equalBytes(cryptogram, data.slice(0, 8))) throw new Refusal(SW.authenticationFailed);
      const cMac = desMac(mac, concat(Uint8Array.of(0x84, 0x82, level, 0x00, 0x10), data.slice(0, 8)));
      if (!equalBytes(cMac, data.slice(8))) throw new Refusal(SW.securityStatus);
      return new Scp02Channel(level, (i & I.icvEncryption) !== 0, cMac, {
        version: keys.version,
        enc,
        mac,
        rmac: scp02SessionKey(keys.mac, DERIVE.rMac, counter),
        dek: scp02SessionKey(keys.dek, DERIVE.dek, counter),
      });
    },
  };
}

interface SessionKeys extends StaticKeys {
  readonly rmac: Uint8Array;
}

class Scp02Channel implements Channel {
  readonly keyVersion: number;
  readonly level: number;
  readonly responseRoom: number;
  readonly #encryptIcv: boolean;
  readonly #keys: SessionKeys;
  #cMac: Uint8Array;
  /** The R-MAC chain begins with the C-MAC of EXTERNAL AUTHENTICATE (E.4.5). */
  #rMac: Uint8Array;

  constructor(level: number, encryptIcv: boolean, cMac: Uint8Array, keys: SessionKeys) {
    this.keyVersion = keys.version;
    this.responseRoom = (level & LEVEL.rMac) !== 0 ? 248 : 256;
    this.level = level;
    this.#encryptIcv = encryptIcv;
    this.#keys = keys;
    this.#cMac = cMac;
    this.#rMac = cMac;
  }

  unwrap(command: CommandApdu): CommandApdu {
    const secured = (command.cla & 0x04) !== 0;
    // E.1.6: a command may exceed the security level, so a MAC that nobody asked for is checked all the same.
    if (!secured && (this.level & LEVEL.cMac) === 0) return command;
    const data = command.data ?? new Uint8Array(0);
    if (!secured || data.length < 8) throw new Refusal(SW.securityStatus);
    // E.4.6: the MAC is over the plain data, and Lc in it counts plain data and MAC.
    const plain = this.#decrypt(data.slice(0, -8));
    const icv = this.#encryptIcv ? desEcbEncrypt(this.#keys.mac.slice(0, 8), this.#cMac) : this.#cMac;
    const cMac = desMac(
      this.#keys.mac,
      concat(macHeader(command, command.cla, plain.length + 8), plain),
      icv,
    );
    if (!equalBytes(cMac, data.slice(-8))) throw new Refusal(SW.securityStatus);
    this.#cMac = cMac;
    return withData(command, plainCla(command.cla), plain);
  }

  wrap(response: ResponseApdu, plain: CommandApdu): ResponseApdu {
    if ((this.level & LEVEL.rMac) === 0) return response;
    const data = plain.data ?? new Uint8Array(0);
    this.#rMac = desMac(
      this.#keys.rmac,
      concat(
        macHeader(plain, plainCla(plain.cla), data.length),
        data,
        Uint8Array.of(response.data.length),
        response.data,
        Uint8Array.of(response.sw >> 8, response.sw & 0xff),
      ),
      this.#rMac,
    );
    return { data: concat(response.data, this.#rMac), sw: response.sw };
  }

  decryptKey(cipher: Uint8Array): Uint8Array {
    if (cipher.length === 0 || cipher.length % 8 !== 0) throw new Refusal(SW.wrongData);
    return desEcbDecrypt(this.#keys.dek, cipher);
  }

  end(): void {
    wipe(this.#keys.enc, this.#keys.mac, this.#keys.rmac, this.#keys.dek);
  }

  #decrypt(body: Uint8Array): Uint8Array {
    if ((this.level & LEVEL.cDecryption) === 0 || body.length === 0) return body;
    if (body.length % 8 !== 0) throw new Refusal(SW.securityStatus);
    const plain = unpad80(desCbcDecrypt(this.#keys.enc, body));
    if (plain === undefined) throw new Refusal(SW.securityStatus);
    return plain;
  }
}
