/** A test-only GlobalPlatform host, written from GPC 2.3.1 appendix E and Amendment D. */
import type { CardDevice } from '../../../app/simulator/device.ts';
import { aesCbc, aesCbcOpen, aesEcb, cmac, kdf, pad, retailMac, tdesCbc, tdesEcb } from './test-crypto.ts';

export interface Answer {
  readonly data: string;
  readonly sw: string;
}

export interface Keys {
  readonly enc: Uint8Array;
  readonly mac: Uint8Array;
  readonly dek: Uint8Array;
}

const upper = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex').toUpperCase();

/** Sends hexadecimal text. */
export async function send(device: CardDevice, command: string): Promise<Answer> {
  const answer = await device.transmit(Buffer.from(command.replace(/\s/g, ''), 'hex'));
  return { data: upper(answer.slice(0, -2)), sw: upper(answer.slice(-2)) };
}

/** Wraps commands and checks answers; `undefined` where a response MAC is wrong or missing. */
export interface Wrapper {
  wrap(command: string): Buffer;
  unwrap(answer: Uint8Array): Answer;
  encryptKey(key: Buffer): Buffer;
}

const parts = (command: string) => {
  const bytes = Buffer.from(command.replace(/\s/g, ''), 'hex');
  const lc = bytes.length > 5 ? (bytes[4] ?? 0) : 0;
  const le = bytes.length === 5 ? bytes.subarray(4) : bytes.subarray(5 + lc);
  return { header: bytes.subarray(0, 4), data: Buffer.from(bytes.subarray(5, 5 + lc)), le };
};

const rebuilt = (header: Buffer, data: Buffer, le: Buffer) =>
  Buffer.concat([
    header,
    data.length > 0 ? Buffer.concat([Buffer.of(data.length), data]) : Buffer.alloc(0),
    le,
  ]);

class MacError extends Error {}

export interface Opened extends Wrapper {
  readonly initializeUpdate: string;
  send(command: string): Promise<Answer>;
}

/** Opens a channel; checks the card cryptogram. Rejects with the card's status word as message. */
export async function openChannel(
  device: CardDevice,
  keys: Keys,
  options: {
    level?: number;
    version?: number;
    hostChallenge?: string;
    le?: boolean;
    /** SCP02: whether ICVs are encrypted, which the card does not say in INITIALIZE UPDATE. */
    icv?: boolean;
    /** Puts a C-MAC on commands although the level does not ask for it, as some tools do. */
    exceed?: boolean;
  } = {},
): Promise<Opened> {
  const {
    level = 0x01,
    version = 0,
    hostChallenge = '0102030405060708',
    le = false,
    icv = true,
    exceed = false,
  } = options;
  const kvn = version.toString(16).padStart(2, '0');
  const challengeLength = (hostChallenge.length / 2).toString(16).padStart(2, '0');
  const first = await send(device, `8050${kvn}00${challengeLength}${hostChallenge}00`);
  if (first.sw !== '9000') throw new Error(first.sw);
  const answer = Buffer.from(first.data, 'hex');
  const host = Buffer.from(hostChallenge, 'hex');
  const statics = { enc: Buffer.from(keys.enc), mac: Buffer.from(keys.mac), dek: Buffer.from(keys.dek) };
  const start =
    answer[11] === 0x02
      ? scp02(answer, host, statics, { level, exceed, icv })
      : scp03(answer, host, statics, { level, exceed });
  const apdu = le ? Buffer.concat([start.authenticate, Buffer.of(0)]) : start.authenticate;
  const done = await send(device, upper(apdu));
  if (done.sw !== '9000') throw new Error(done.sw);
  const { wrapper } = start;
  return {
    initializeUpdate: first.data,
    wrap: (command) => wrapper.wrap(command),
    unwrap: (bytes) => wrapper.unwrap(bytes),
    encryptKey: (key) => wrapper.encryptKey(key),
    async send(command) {
      return wrapper.unwrap(await device.transmit(wrapper.wrap(command)));
    },
  };
}

interface Start {
  readonly authenticate: Buffer;
  readonly wrapper: Wrapper;
}
type Bytes = { enc: Buffer; mac: Buffer; dek: Buffer };

interface Level {
  readonly level: number;
  readonly exceed: boolean;
}

function scp02(
  answer: Buffer,
  host: Buffer,
  keys: Bytes,
  { level, exceed, icv: encryptIcv }: Level & { readonly icv: boolean },
): Start {
  const counter = answer.subarray(12, 14);
  const card = answer.subarray(14, 20);
  const session = (key: Buffer, constant: number) =>
    tdesCbc(key, Buffer.concat([Buffer.of(1, constant), counter, Buffer.alloc(12)]));
  const enc = session(keys.enc, 0x82);
  const mac = session(keys.mac, 0x01);
  const rmac = session(keys.mac, 0x02);
  const dek = session(keys.dek, 0x81);
  const cryptogram = (...input: Buffer[]) => tdesCbc(enc, pad(Buffer.concat(input), 8)).subarray(-8);
  if (!cryptogram(host, counter, card).equals(answer.subarray(20, 28))) throw new Error('card cryptogram');
  const header = Buffer.of(0x84, 0x82, level, 0, 0x10);
  const hostCryptogram = cryptogram(counter, card, host);
  let last: Buffer = retailMac(mac, Buffer.concat([header, hostCryptogram]));
  let r: Buffer = last;
  let plain: Buffer = Buffer.alloc(0);
  return {
    authenticate: Buffer.concat([header, hostCryptogram, last]),
    wrapper: {
      wrap(command) {
        const { header: head, data, le } = parts(command);
        plain = Buffer.concat([head, Buffer.of(data.length), data]);
        if ((level & 1) === 0 && !exceed) return rebuilt(head, data, le);
        const secured = Buffer.from(head);
        secured[0] = (secured[0] ?? 0) | 4;
        const icv = encryptIcv ? tdesEcb(mac.subarray(0, 8), last) : last;
        last = retailMac(mac, Buffer.concat([secured, Buffer.of(data.length + 8), data]), icv);
        const body = (level & 2) !== 0 && data.length > 0 ? tdesCbc(enc, pad(data, 8)) : data;
        return rebuilt(secured, Buffer.concat([body, last]), le);
      },
      unwrap(bytes) {
        const word = Buffer.from(bytes.slice(-2));
        const all = Buffer.from(bytes.slice(0, -2));
        if ((level & 0x10) === 0) return { data: upper(all), sw: upper(word) };
        const data = all.subarray(0, -8);
        r = retailMac(rmac, Buffer.concat([plain, Buffer.of(data.length), data, word]), r);
        if (!r.equals(all.subarray(-8))) throw new MacError('R-MAC');
        return { data: upper(data), sw: upper(word) };
      },
      encryptKey: (key) => tdesEcb(dek, key),
    },
  };
}

/** S8 or S16, as long as the host challenge is. */
function scp03(answer: Buffer, host: Buffer, keys: Bytes, { level, exceed }: Level): Start {
  const n = host.length;
  const context = Buffer.concat([host, answer.subarray(13, 13 + n)]);
  const bits = keys.mac.length * 8;
  const mac = kdf(keys.mac, 6, bits, context);
  const enc = kdf(keys.enc, 4, bits, context);
  const rmac = kdf(keys.mac, 7, bits, context);
  if (!kdf(mac, 0, 8 * n, context).equals(answer.subarray(13 + n, 13 + 2 * n)))
    throw new Error('card cryptogram');
  const header = Buffer.of(0x84, 0x82, level, 0, 2 * n);
  const hostCryptogram = kdf(mac, 1, 8 * n, context);
  let chain: Buffer = cmac(mac, Buffer.concat([Buffer.alloc(16), header, hostCryptogram]));
  let count = 0;
  const iv = (first: number) => {
    const block = Buffer.alloc(16);
    block[0] = first;
    block.writeUInt32BE(count, 12);
    return aesEcb(enc, block);
  };
  return {
    authenticate: Buffer.concat([header, hostCryptogram, chain.subarray(0, n)]),
    wrapper: {
      wrap(command) {
        count += 1;
        const { header: head, data, le } = parts(command);
        if ((level & 1) === 0 && !exceed) return rebuilt(head, data, le);
        const secured = Buffer.from(head);
        secured[0] = (secured[0] ?? 0) | 4;
        const body = (level & 2) !== 0 && data.length > 0 ? aesCbc(enc, pad(data, 16), iv(0)) : data;
        chain = cmac(mac, Buffer.concat([chain, secured, Buffer.of(body.length + n), body]));
        return rebuilt(secured, Buffer.concat([body, chain.subarray(0, n)]), le);
      },
      unwrap(bytes) {
        const word = Buffer.from(bytes.slice(-2));
        const all = Buffer.from(bytes.slice(0, -2));
        const text = upper(word);
        if ((level & 0x10) === 0 || !(text === '9000' || /^6[23]/.test(text)))
          return { data: upper(all), sw: text };
        let data: Buffer = all.subarray(0, -n);
        if (
          !cmac(rmac, Buffer.concat([chain, data, word]))
            .subarray(0, n)
            .equals(all.subarray(-n))
        )
          throw new MacError('R-MAC');
        if ((level & 0x20) !== 0 && data.length > 0) {
          data = aesCbcOpen(enc, data, iv(0x80));
          data = data.subarray(0, data.lastIndexOf(0x80));
        }
        return { data: upper(data), sw: text };
      },
      encryptKey: (key) => aesCbc(keys.dek, pad0(key)),
    },
  };
}

const pad0 = (key: Buffer) => Buffer.concat([key, Buffer.alloc((16 - (key.length % 16)) % 16)]);
