/** Fault injection between reader and card: power cut, or memory found full, at a chosen command. */
import type { Fault, FaultyDevice, TearMoment } from './fault.ts';

/** Which command a fault strikes: the n-th, counted from 1, of all commands or of those whose INS fits. */
interface Strike {
  readonly at: number;
  /** Counts only commands with this INS, or one this function likes. */
  readonly ins?: number | ((ins: number) => boolean);
}

/** A power cut. */
export interface Tear extends Strike {
  readonly when: TearMoment;
  /** `during` on an atomic write: whether the commit is lost (the default) or kept. */
  readonly commit?: 'lost' | 'kept';
  /** Called after power went, before the command rejects: to pull the card from its reader. */
  readonly onTorn?: () => void;
}

/** A fault the card reports instead. */
export interface Scripted extends Strike {
  /** LOAD or INSTALL finds no memory left. */
  readonly scripted: 'memoryFull';
}

/** A card device that fails once, at the chosen command, and passes everything else on. */
export class TearingDevice implements FaultyDevice {
  readonly #inner: FaultyDevice;
  readonly #plan: Tear | Scripted;
  #seen = 0;
  #struck = false;

  constructor(inner: FaultyDevice, plan: Tear | Scripted) {
    this.#inner = inner;
    this.#plan = plan;
  }

  get atr(): Uint8Array {
    return this.#inner.atr;
  }

  /** Whether the fault has struck. */
  get struck(): boolean {
    return this.#struck;
  }

  powerOn(): void {
    this.#inner.powerOn();
  }

  powerOff(): void {
    this.#inner.powerOff();
  }

  reset(): void {
    this.#inner.reset();
  }

  transmit(command: Uint8Array): Promise<Uint8Array> {
    return this.transmitWithFault(command, undefined);
  }

  async transmitWithFault(command: Uint8Array, fault: Fault | undefined): Promise<Uint8Array> {
    if (fault !== undefined || !this.#strikes(command[1] ?? -1))
      return this.#inner.transmitWithFault(command, fault);
    this.#struck = true;
    const plan = this.#plan;
    if ('scripted' in plan) return this.#inner.transmitWithFault(command, { kind: 'memory-full' });
    try {
      const { when, commit } = plan;
      const power = { kind: 'power', when } as const;
      return await this.#inner.transmitWithFault(
        command,
        commit === undefined ? power : { ...power, commit },
      );
    } finally {
      plan.onTorn?.();
    }
  }

  #strikes(ins: number): boolean {
    const { at, ins: wanted } = this.#plan;
    if (this.#struck) return false;
    const counted = typeof wanted === 'function' ? wanted(ins) : wanted === undefined || wanted === ins;
    if (counted) this.#seen += 1;
    return counted && this.#seen === at;
  }
}
