/** A test-only host of the FMCOS dialect, written from the data sheet. */
import type { CardDevice } from '../../../app/simulator/device.ts';
import { type Answer, send } from './gp-host.ts';
import { retailMac, tdesEcb } from './test-crypto.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Key of a card: ECB of D ‖ NOT D under the master. */
export function cardKey(master: string, code: string): Buffer {
  const d = Buffer.from(code, 'hex');
  return tdesEcb(Buffer.from(master, 'hex'), Buffer.concat([d, Buffer.from(d.map((byte) => byte ^ 0xff))]));
}

/** The outstanding random as 8 bytes. */
export async function challenge(device: CardDevice, length: 4 | 8 = 4): Promise<Buffer> {
  const { data, sw } = await send(device, `008400000${length}`);
  if (sw !== '9000') throw new Error(sw);
  const block = Buffer.alloc(8);
  block.write(data, 'hex');
  return block;
}

export async function authenticate(device: CardDevice, key: Buffer, length: 4 | 8 = 4): Promise<string> {
  const random = await challenge(device, length);
  return (await send(device, `0082000008${text(tdesEcb(key, random))}`)).sw;
}

/** Secure-messaging MAC, 4 bytes. */
export function mac(key: Buffer, random: Buffer, head: string, data: Buffer): Buffer {
  const header = Buffer.from(head, 'hex');
  // An 8-byte key is DES-CBC throughout, which is algorithm 3 with two equal halves.
  const halves = key.length === 8 ? Buffer.concat([key, key]) : key;
  return retailMac(halves, Buffer.concat([header, Buffer.of(data.length + 4), data]), random).subarray(0, 4);
}

/** The record in clear: type inside, use right, change right, next state, counter, key. */
export const record = (inside: number, key: Buffer, header = inside === 0xf9 ? 'F0AAAA33' : 'F0AAFF33') =>
  Buffer.concat([Buffer.of(inside), Buffer.from(header, 'hex'), key]);

/** The bytes of WRITE KEY (replace) for one outstanding random. `plain` overrides length byte, record and padding. */
export function writeKeyCommand(
  under: Buffer,
  random: Buffer,
  p1: number,
  content: Buffer,
  plain: Buffer = Buffer.concat([Buffer.of(content.length), content, Buffer.of(0x80, 0x00)]),
): string {
  const cipher = tdesEcb(under, plain);
  const head = `84d4${p1.toString(16)}00`;
  const all = Buffer.concat([cipher, mac(under, random, head, cipher)]);
  return `${head}${all.length.toString(16)}${text(all)}`;
}

export async function writeKey(
  device: CardDevice,
  under: Buffer,
  p1: number,
  content: Buffer,
): Promise<string> {
  return (await send(device, writeKeyCommand(under, await challenge(device), p1, content))).sw;
}

/** UPDATE BINARY of file 15 with MAC. */
export function updateCommand(key: Buffer, random: Buffer, offset: number, data: Buffer): string {
  const head = `04d695${offset.toString(16).padStart(2, '0')}`;
  const lc = (data.length + 4).toString(16).padStart(2, '0');
  return `${head}${lc}${text(data)}${text(mac(key, random, head, data))}`;
}

export async function update(device: CardDevice, key: Buffer, offset: number, data: string): Promise<string> {
  const random = await challenge(device);
  return (await send(device, updateCommand(key, random, offset, Buffer.from(data, 'hex')))).sw;
}

export async function readPublicFile(device: CardDevice): Promise<Answer> {
  return send(device, '00B095001E');
}
