/** A virtual card with a Lantern applet on it, which computes by node:crypto alone. Everything else goes to the card inside. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { PowerLost } from '../../../app/simulator/device.ts';
import type { Fault, FaultyDevice } from '../../../app/simulator/fault.ts';
import type { VirtualCard } from '../../../app/simulator/virtual-card.ts';

export const LANTERN_AID = 'F04C414E5445524E01';
const TRIES = 5;
/** Answers of the applet. */
const SW = { ok: '9000', shut: '9F80', closed: '9F40', unknownIns: '6D00' };

export class LanternCard implements FaultyDevice {
  readonly #inner: VirtualCard;
  /** What lasts without power. */
  readonly #memory: { key: Buffer; tries: number; enabled: boolean };
  #session: { random?: Buffer; open: boolean } | undefined;

  constructor(inner: VirtualCard, key: Buffer) {
    this.#inner = inner;
    this.#memory = { key, tries: TRIES, enabled: false };
  }

  get atr(): Uint8Array {
    return this.#inner.atr;
  }

  /** The key on the card, and the tries that are left. */
  get memory(): { readonly key: Buffer; readonly tries: number; readonly enabled: boolean } {
    return this.#memory;
  }

  powerOn(): void {
    this.#session = undefined;
    this.#inner.powerOn();
  }

  powerOff(): void {
    this.#session = undefined;
    this.#inner.powerOff();
  }

  reset(): void {
    this.#session = undefined;
    this.#inner.reset();
  }

  transmit(command: Uint8Array): Promise<Uint8Array> {
    return this.transmitWithFault(command, undefined);
  }

  async transmitWithFault(bytes: Uint8Array, fault: Fault | undefined): Promise<Uint8Array> {
    const command = Buffer.from(bytes);
    const selects = command.subarray(0, 4).toString('hex') === '00a40400';
    const ours =
      selects &&
      command
        .subarray(5, 5 + (command[4] ?? 0))
        .toString('hex')
        .toUpperCase() === LANTERN_AID;
    if (selects && !ours) this.#session = undefined;
    if (!ours && this.#session === undefined) return this.#inner.transmitWithFault(bytes, fault);
    if (fault?.kind === 'power') {
      if (fault.when === 'after') this.#answer(command, ours);
      this.powerOff();
      throw new PowerLost();
    }
    return new Uint8Array(Buffer.from(this.#answer(command, ours), 'hex'));
  }

  #answer(command: Buffer, selects: boolean): string {
    if (selects) {
      this.#session = { open: false };
      return SW.ok;
    }
    const session = this.#session ?? { open: false };
    const data = command.subarray(5, 5 + (command[4] ?? 0));
    switch (command[1]) {
      case 0x84:
        session.random = randomBytes(8);
        return `${session.random.toString('hex')}${SW.ok}`;
      case 0x2a:
        return `${this.#memory.enabled ? '01' : '00'}${SW.ok}`;
      case 0x20:
        return this.#open(session, data);
      case 0x24:
        if (!session.open) return SW.closed;
        this.#memory.key = des3(createDecipheriv, this.#memory.key, data);
        return SW.ok;
      case 0x28:
        if (!session.open) return SW.closed;
        this.#memory.enabled = true;
        return SW.ok;
      default:
        return SW.unknownIns;
    }
  }

  #open(session: { random?: Buffer; open: boolean }, data: Buffer): string {
    const { random } = session;
    delete session.random;
    if (this.#memory.tries === 0) return SW.shut;
    if (random === undefined) return SW.closed;
    session.open = des3(createCipheriv, this.#memory.key, random).equals(data);
    this.#memory.tries = session.open ? TRIES : this.#memory.tries - 1;
    return session.open ? SW.ok : `9F0${this.#memory.tries}`;
  }
}

function des3(make: typeof createCipheriv | typeof createDecipheriv, key: Buffer, data: Buffer): Buffer {
  const cipher = make('des-ede3', Buffer.concat([key, key.subarray(0, 8)]), null).setAutoPadding(false);
  return Buffer.concat([cipher.update(data), cipher.final()]);
}
