/** Finds keys in the token by CKA_LABEL and remembers their handles for as long as the module stays initialised. */
import pkcs11, { type Handle } from 'pkcs11js';
import { VaultError } from '../../error.ts';
import type { KeyAlgorithm, MasterKeyId, MasterRule } from '../../keys.ts';
import { describeKey } from '../../keys.ts';
import { DEMO_LABEL, masterLabel, parseMasterLabel, SEAL_LABEL } from './labels.ts';
import { ulongValue } from './raw-cryptoki.ts';
import { readRule } from './rules.ts';
import { checkValueOf, type TokenSession } from './session.ts';

/** A master key's object and what it is. */
interface MasterKey {
  readonly id: MasterKeyId;
  readonly handle: Handle;
  readonly algorithm: KeyAlgorithm;
}

/** A master's name and its object. */
interface FoundMaster {
  readonly id: MasterKeyId;
  readonly handle: Handle;
}

const moreThanOnce = (name: string) => new VaultError('refused', `${name} is in the token more than once`);

/** Token objects that are secret keys, narrowed by a label if given. */
function findSecretKeys(session: TokenSession, label?: string): Handle[] {
  return session.find([
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_SECRET_KEY },
    { type: pkcs11.CKA_TOKEN, value: true },
    ...(label === undefined ? [] : [{ type: pkcs11.CKA_LABEL, value: label }]),
  ]);
}

function algorithmOf(session: TokenSession, key: Handle): KeyAlgorithm | undefined {
  const type = session.attribute(key, pkcs11.CKA_KEY_TYPE);
  if (type.equals(ulongValue(pkcs11.CKK_DES2))) return 'des3-16';
  if (!type.equals(ulongValue(pkcs11.CKK_AES))) return undefined;
  const length = session.attribute(key, pkcs11.CKA_VALUE_LEN);
  if (length.equals(ulongValue(16))) return 'aes-128';
  if (length.equals(ulongValue(24))) return 'aes-192';
  return length.equals(ulongValue(32)) ? 'aes-256' : undefined;
}

/** Handles of one initialisation of the module. */
export class KeyCache {
  readonly #handles = new Map<string, Handle>();
  readonly #algorithms = new Map<string, KeyAlgorithm>();
  readonly #rules = new Map<string, MasterRule>();
  readonly #checkValues = new Map<string, Uint8Array>();

  /** @throws VaultError `key-missing`, `refused` when it is not a kind of master that we derive from. */
  master(session: TokenSession, id: MasterKeyId): MasterKey {
    const label = masterLabel(id);
    const handle = this.#handle(session, label, describeKey(id));
    const algorithm = this.#algorithms.get(label) ?? algorithmOf(session, handle);
    if (algorithm === undefined)
      throw new VaultError('refused', `${describeKey(id)} is neither two-key 3DES nor AES`);
    this.#algorithms.set(label, algorithm);
    return { id, handle, algorithm };
  }

  /**
   * What is fixed with a master; undefined where nothing is. Remembered once it is there, because it is never changed.
   * @throws as `master`
   */
  rule(session: TokenSession, id: MasterKeyId): MasterRule | undefined {
    const label = masterLabel(id);
    const known = this.#rules.get(label);
    if (known !== undefined) return known;
    const checkValue = Buffer.from(this.checkValue(session, id)).toString('hex');
    const rule = readRule(session, id, checkValue);
    if (rule !== undefined) this.#rules.set(label, rule);
    return rule;
  }

  /**
   * Check value of a master, which the caller does not change. Remembered, because an object's value never changes and each costs the
   * token a derivation: the list of a token with hundreds of masters is asked for at every look at its state.
   * @throws as `master`
   */
  checkValue(session: TokenSession, id: MasterKeyId): Uint8Array {
    const label = masterLabel(id);
    const known = this.#checkValues.get(label);
    if (known !== undefined) return known;
    const { handle, algorithm } = this.master(session, id);
    const value = checkValueOf(session, handle, algorithm);
    this.#checkValues.set(label, value);
    return value;
  }

  /**
   * Forgets what it knows of masters that are no longer the objects found just now: one that went and came again under its name is another
   * key. @throws VaultError `refused` for a name that was found twice
   */
  keepOnly(found: readonly FoundMaster[]): void {
    const there = new Map<string, Handle>();
    for (const { id, handle } of found) {
      const label = masterLabel(id);
      if (there.has(label)) throw moreThanOnce(describeKey(id));
      there.set(label, handle);
    }
    for (const [label, handle] of this.#handles) {
      if (label === SEAL_LABEL || there.get(label)?.equals(handle) === true) continue;
      for (const known of [this.#handles, this.#algorithms, this.#rules, this.#checkValues])
        known.delete(label);
    }
  }

  /** The sealing key. @throws VaultError `key-missing` */
  seal(session: TokenSession): Handle {
    return this.#handle(session, SEAL_LABEL, 'the sealing key');
  }

  #handle(session: TokenSession, label: string, name: string): Handle {
    const known = this.#handles.get(label);
    if (known !== undefined) return known;
    const [handle, second] = findSecretKeys(session, label);
    if (handle === undefined) throw new VaultError('key-missing', `${name} is not in the token`);
    if (second !== undefined) throw moreThanOnce(name);
    this.#handles.set(label, handle);
    return handle;
  }
}

/** Whether an object with this label is in the token. */
export function hasKey(session: TokenSession, label: string): boolean {
  return findSecretKeys(session, label).length > 0;
}

/** Each master key in the token, sorted by label; a name twice, when somebody else put a second one there. */
export function findMasters(session: TokenSession): FoundMaster[] {
  return findSecretKeys(session)
    .map((handle) => ({ label: session.attribute(handle, pkcs11.CKA_LABEL).toString(), handle }))
    .sort((one, other) => (one.label < other.label ? -1 : 1))
    .flatMap(({ label, handle }) => {
      const id = parseMasterLabel(label);
      return id === undefined ? [] : [{ id, handle }];
    });
}

/** Whether the token is marked as a demonstration's. */
export function isDemo(session: Pick<TokenSession, 'find'>): boolean {
  const marks = session.find([
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_DATA },
    { type: pkcs11.CKA_LABEL, value: DEMO_LABEL },
  ]);
  return marks.length > 0;
}
