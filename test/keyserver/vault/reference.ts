/** The same formulas from the specifications, with node:crypto and nothing of the vault. */
import { createCipheriv } from 'node:crypto';

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

function cipher(name: string, key: Uint8Array, iv: Uint8Array | null, data: Uint8Array): Buffer {
  const c = createCipheriv(name, key, iv).setAutoPadding(false);
  return Buffer.concat([c.update(data), c.final()]);
}

/** 24 bytes K1 ‖ K2 ‖ K1 of a two-key 3DES key. */
const triple = (key: Uint8Array): Buffer => Buffer.concat([key, key.subarray(0, 8)]);

export const tdesEcb = (key: Uint8Array, data: Uint8Array): Buffer =>
  cipher('des-ede3', triple(key), null, data);
export const tdesCbc = (key: Uint8Array, iv: Uint8Array, data: Uint8Array): Buffer =>
  cipher('des-ede3-cbc', triple(key), iv, data);
/** Single DES, as 3DES with three equal keys. */
export const desCbc = (key: Uint8Array, iv: Uint8Array, data: Uint8Array): Buffer =>
  tdesCbc(Buffer.concat([key, key]), iv, data);
export const aesEcb = (key: Uint8Array, data: Uint8Array): Buffer => cipher('aes-128-ecb', key, null, data);

export const tdesDecrypt = (
  createDecipher: typeof import('node:crypto').createDecipheriv,
  key: Uint8Array,
  data: Uint8Array,
): Buffer => {
  const d = createDecipher('des-ede3', triple(key), null).setAutoPadding(false);
  return Buffer.concat([d.update(data), d.final()]);
};

export const not = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => ~byte));

/** Every byte with odd parity: DES ignores the lowest bit. */
export const oddParity = (key: Uint8Array): Buffer =>
  Buffer.from(
    key.map((byte) => {
      let ones = 0;
      for (let bit = 1; bit < 8; bit += 1) ones += (byte >> bit) & 1;
      return (byte & 0xfe) | (ones % 2 === 0 ? 1 : 0);
    }),
  );

/** PBOC diversification: left 3DES(MK, D), right 3DES(MK, NOT D). */
export const desCardKey = (master: Uint8Array, factor: Uint8Array): Buffer =>
  Buffer.concat([tdesEcb(master, factor), tdesEcb(master, not(factor))]);
export const aesCardKey = (master: Uint8Array, factor: Uint8Array): Buffer =>
  aesEcb(master, Buffer.concat([factor, not(factor)]));

function pad80(message: Uint8Array, block: number): Buffer {
  const rest = block - ((message.length + 1) % block || block);
  return Buffer.concat([message, Buffer.of(0x80), Buffer.alloc(rest)]);
}

/** ISO/IEC 9797-1 algorithm 3, padding method 2: DES-CBC under K1, the result deciphered under K2 and enciphered under K1. */
export function retailMac(key: Uint8Array, iv: Uint8Array, message: Uint8Array): Buffer {
  const padded = pad80(message, 8);
  const chain = Buffer.concat([iv, desCbc(key.subarray(0, 8), iv, padded)]);
  const before = chain.subarray(-16, -8);
  const last = padded.subarray(-8).map((byte, i) => byte ^ (before[i] ?? 0));
  return tdesEcb(key, last);
}

/** AES-CMAC, RFC 4493. */
export function aesCmac(key: Uint8Array, message: Uint8Array): Buffer {
  const double = (block: Uint8Array): Buffer => {
    const value = (BigInt(`0x${Buffer.from(block).toString('hex')}`) << 1n) & ((1n << 128n) - 1n);
    const reduced = (block[0] ?? 0) & 0x80 ? value ^ 0x87n : value;
    return hex(reduced.toString(16).padStart(32, '0'));
  };
  const k1 = double(aesEcb(key, Buffer.alloc(16)));
  const whole = message.length > 0 && message.length % 16 === 0;
  const padded = whole ? Buffer.from(message) : pad80(message, 16);
  const mask = whole ? k1 : double(k1);
  for (let i = 0; i < 16; i += 1) {
    const at = padded.length - 16 + i;
    padded[at] = (padded[at] ?? 0) ^ (mask[i] ?? 0);
  }
  const c = cipher('aes-128-cbc', key, Buffer.alloc(16), padded);
  return c.subarray(-16);
}
