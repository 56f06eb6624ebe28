/** The test host's cryptography, straight from node:crypto and the standards; nothing of the card's is used. */
import { createCipheriv, createDecipheriv } from 'node:crypto';

const des3 = (key: Buffer) =>
  key.length === 8 ? Buffer.concat([key, key, key]) : Buffer.concat([key, key.subarray(0, 8)]);

function crypt(name: string, key: Buffer, iv: Buffer | null, data: Buffer, encrypt = true): Buffer {
  const cipher = encrypt ? createCipheriv(name, key, iv) : createDecipheriv(name, key, iv);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}

export const tdesEcb = (key: Buffer, data: Buffer) => crypt('des-ede3', des3(key), null, data);
export const tdesCbc = (key: Buffer, data: Buffer, iv: Buffer = Buffer.alloc(8)) =>
  crypt('des-ede3-cbc', des3(key), iv, data);
export const aesEcb = (key: Buffer, data: Buffer) => crypt(`aes-${key.length * 8}-ecb`, key, null, data);
export const aesCbc = (key: Buffer, data: Buffer, iv: Buffer = Buffer.alloc(16)) =>
  crypt(`aes-${key.length * 8}-cbc`, key, iv, data);
export const aesCbcOpen = (key: Buffer, data: Buffer, iv: Buffer) =>
  crypt(`aes-${key.length * 8}-cbc`, key, iv, data, false);

export function pad(data: Buffer, block: number): Buffer {
  const padded = Buffer.concat([data, Buffer.of(0x80)]);
  return Buffer.concat([padded, Buffer.alloc((block - (padded.length % block)) % block)]);
}

/** ISO/IEC 9797-1 algorithm 3, padding method 2, block by block as the standard draws it. */
export function retailMac(key: Buffer, message: Buffer, iv: Buffer = Buffer.alloc(8)): Buffer {
  const [left, right] = [key.subarray(0, 8), key.subarray(8)];
  let h: Buffer = iv;
  for (let i = 0, padded = pad(message, 8); i < padded.length; i += 8) {
    const block = padded.subarray(i, i + 8).map((byte, j) => byte ^ (h[j] ?? 0));
    h = crypt('des-ede3', des3(left), null, Buffer.from(block));
  }
  const middle = crypt('des-ede3', des3(right), null, h, false);
  return crypt('des-ede3', des3(left), null, middle);
}

/** AES-CMAC after RFC 4493, on big integers. */
export function cmac(key: Buffer, message: Buffer): Buffer {
  const double = (value: bigint) => ((value << 1n) ^ (value >> 127n ? 0x87n : 0n)) & ((1n << 128n) - 1n);
  const number = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
  const bytes = (value: bigint) => Buffer.from(value.toString(16).padStart(32, '0'), 'hex');
  const k1 = double(number(aesEcb(key, Buffer.alloc(16))));
  const whole = message.length > 0 && message.length % 16 === 0;
  const padded = whole ? message : pad(message, 16);
  let x = 0n;
  for (let i = 0; i < padded.length; i += 16) {
    const last = i + 16 === padded.length;
    const mask = last ? (whole ? k1 : double(k1)) : 0n;
    x = number(aesEcb(key, bytes(x ^ number(padded.subarray(i, i + 16)) ^ mask)));
  }
  return bytes(x);
}

/** NIST SP 800-108 in the form of Amendment D §4.1.5. */
export function kdf(key: Buffer, constant: number, bits: number, context: Buffer): Buffer {
  const one = (i: number) =>
    cmac(key, Buffer.concat([Buffer.alloc(11), Buffer.of(constant, 0, bits >> 8, bits & 255, i), context]));
  return Buffer.concat([one(1), one(2)]).subarray(0, bits / 8);
}
