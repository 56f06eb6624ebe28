/** Loads the module, finds the token by its label and logs in. */
import graphene, { type Module, type Slot } from 'graphene-pk11';
import pkcs11, { type Handle, type PKCS11 } from 'pkcs11js';
import type { TokenConfig } from '../../config.ts';
import { VaultError } from '../../error.ts';
import { isPinRefusal, tokenErrorName } from './cryptoki-error.ts';
import { isDemo, KeyCache } from './key-cache.ts';
import type { PinReader } from './pin.ts';
import { RawCryptoki, readUlong } from './raw-cryptoki.ts';
import { SessionPool } from './session-pool.ts';

/** A token that is initialised and logged in. Its handles die with `closeToken`. */
export interface OpenToken {
  readonly p11: PKCS11;
  readonly slot: Handle;
  readonly label: string;
  /** Its keys are marked as a demonstration's. */
  readonly demo: boolean;
  readonly sessions: SessionPool;
  readonly keys: KeyCache;
}

/** The module in this process; loaded once, initialised as often as the token comes back. */
export interface LoadedModule {
  readonly cryptoki: Module;
  /** The same module, for calls that graphene would make with copies of our buffers. */
  readonly p11: PKCS11;
  readonly raw: RawCryptoki;
}

/** The token does not take the configured PIN. It is not tried again: after a few wrong ones a token locks for good. */
export class PinRefused extends VaultError {
  constructor(label: string, reason: string) {
    super('hsm-away', `token "${label}" does not accept the configured PIN (${reason})`);
    this.name = 'PinRefused';
  }
}

/** The token's keys are a demonstration's, and the configuration does not say `demo`. */
export class DemoRefused extends VaultError {
  constructor(label: string) {
    super('refused', `the keys of token "${label}" are a demonstration's: only a demo may serve with them`);
    this.name = 'DemoRefused';
  }
}

/** Loads a PKCS#11 module. @throws VaultError `hsm-away` */
export function loadModule(path: string): LoadedModule {
  try {
    const cryptoki = graphene.Module.load(path);
    return { cryptoki, p11: cryptoki.lib, raw: new RawCryptoki(path) };
  } catch {
    throw new VaultError('hsm-away', 'the PKCS#11 module cannot be loaded');
  }
}

/** The slot of the token with this label, and this slot identifier where it is given. @throws VaultError `hsm-away`; Pkcs11Error */
export function findSlot(cryptoki: Module, label: string, id?: number): Slot {
  const slots = cryptoki.getSlots(true);
  const named = Array.from({ length: slots.length }, (_, i) => slots.items(i)).filter(
    (one) => one.getToken().label.trimEnd() === label && (id === undefined || readUlong(one.handle) === id),
  );
  const [slot, second] = named;
  if (slot === undefined)
    throw new VaultError(
      'hsm-away',
      `token "${label}" is not there${id === undefined ? '' : ` in slot ${id}`}`,
    );
  if (second !== undefined)
    throw new VaultError('hsm-away', `there is more than one token "${label}": name its slot`);
  return slot;
}

function logIn(module: LoadedModule, session: Handle, label: string, pin: PinReader): void {
  pin.with((bytes) => {
    try {
      module.raw.login(session, pkcs11.CKU_USER, bytes);
    } catch (error) {
      throw isPinRefusal(error) ? new PinRefused(label, tokenErrorName(error)) : error;
    }
  });
}

/** Initialises the module and logs in. @throws VaultError `hsm-away`, PinRefused, DemoRefused; Pkcs11Error */
export function openToken(
  module: LoadedModule,
  config: TokenConfig,
  pin: PinReader,
  access: 'read' | 'write',
): OpenToken {
  const { cryptoki, p11, raw } = module;
  // Not graphene's `initialize`: it accepts a module that is initialised already, whose sessions and login would not be ours.
  p11.C_Initialize({ flags: pkcs11.CKF_OS_LOCKING_OK });
  try {
    const slot = findSlot(cryptoki, config.tokenLabel, config.slot);
    const sessions = new SessionPool(raw, slot, access);
    logIn(module, sessions.kept, config.tokenLabel, pin);
    const demo = sessions.use(isDemo);
    if (demo && config.demo !== true) throw new DemoRefused(config.tokenLabel);
    return { p11, slot: slot.handle, label: config.tokenLabel, demo, sessions, keys: new KeyCache() };
  } catch (error) {
    finalize(p11);
    throw error;
  }
}

/** C_Finalize: every session and session object of this process is gone. Never throws. */
export function finalize(p11: PKCS11): void {
  try {
    p11.C_Finalize();
  } catch {
    // The module was not initialised, or has lost its token: either way there is nothing left to close.
  }
}
