/** A card made of a few lines: answers the look as the demo card's data sheet says, and counted writes for jobs. */
import { fromHex, toHex } from '../../app/card/bytes.ts';
import { type CardDevice, PowerLost } from '../../app/simulator/device.ts';

export type AppOnCard = 'enabled' | 'installed';

export interface ScriptedCardOptions {
  readonly identification?: string;
  readonly atr?: string;
  /** AID in hexadecimal → state. */
  readonly apps?: Readonly<Record<string, AppOnCard>>;
  /** Steps that are written already. */
  readonly written?: readonly number[];
}

export const DEMO_ATR = '3B85014B41494B41CD';
export const WALLET_AID = 'F04B41494B41010001';
export const IDENTITY_AID = 'F04B41494B41020001';

/** What happens to one command: power lost before the card acts on it or after, or an answer of the test's own. */
export type Mishap = 'before' | 'after' | { readonly answer: string };

export class ScriptedCard implements CardDevice {
  readonly atr: Uint8Array;
  /** Every command that arrived, in order. */
  readonly log: string[] = [];
  readonly written: Set<number>;
  resets = 0;
  /** Asked before each command. */
  mishap: (command: string, count: number) => Mishap | undefined = () => undefined;
  /** Awaited before each answer: a slow or hanging card. */
  delay: ((command: string) => Promise<void>) | undefined;
  readonly #identification: string;
  readonly #apps: Map<string, AppOnCard>;
  #selected = '';

  constructor(options: ScriptedCardOptions = {}) {
    this.atr = fromHex(options.atr ?? DEMO_ATR);
    this.#identification = options.identification ?? '6200000000000001';
    this.#apps = new Map(Object.entries(options.apps ?? { [WALLET_AID]: 'installed' }));
    this.written = new Set(options.written ?? []);
  }

  powerOn(): void {
    this.#selected = '';
  }

  powerOff(): void {
    this.#selected = '';
  }

  reset(): void {
    this.resets += 1;
    this.#selected = '';
  }

  async transmit(bytes: Uint8Array): Promise<Uint8Array> {
    const command = toHex(bytes);
    this.log.push(command);
    await this.delay?.(command);
    const mishap = this.mishap(command, this.log.length);
    if (mishap === 'before') throw new PowerLost();
    if (typeof mishap === 'object') return fromHex(mishap.answer);
    const answer = this.#answer(command);
    if (mishap === 'after') throw new PowerLost();
    return fromHex(answer);
  }

  /** Commands of jobs only: what came after the look. */
  get effects(): string[] {
    return this.log.filter((command) => command.startsWith('80F0'));
  }

  #answer(command: string): string {
    if (command === '00A4040000') return '9000';
    if (command === '80CA9F7F00') return '9F7F049000AABB9000';
    if (command === '80CA004500') return `4508${this.#identification}9000`;
    // Card recognition data: {globalPlatform 4}, SCP03 with i = 70.
    if (command === '80CA006600') return '660F730D640B06092A864886FC6B0403709000';
    if (command === '80CAFF2100') return 'FF21048202F4249000';
    if (command.startsWith('80CA')) return '6A88';
    if (command.startsWith('00A40400')) {
      const aid = command.slice(10, -2);
      if (!this.#apps.has(aid)) return '6A82';
      this.#selected = aid;
      return '6F009000';
    }
    if (command.startsWith('00B0')) {
      const flag = this.#apps.get(this.#selected) === 'enabled' ? '01' : '00';
      return `4B41494B41000000${flag}01${'00'.repeat(20)}9000`;
    }
    if (command.startsWith('805C')) return '000004D29000';
    if (command.startsWith('0084')) return 'A1B2C3D49000';
    // The scripted server's write of one step, and its question whether that is written.
    if (command.startsWith('80F0')) {
      this.written.add(Number.parseInt(command.slice(4, 6), 16));
      this.onWrite?.();
      return '9000';
    }
    if (command.startsWith('80F2')) {
      return `${this.written.has(Number.parseInt(command.slice(4, 6), 16)) ? '01' : '00'}9000`;
    }
    return '6D00';
  }

  /** Told when something was written; a test may keep it. */
  onWrite: (() => void) | undefined;
}
