/** A card's key, derived in the token for the length of one call (PBOC diversification, docs/cards/demo-card.md). */
import type { Handle } from 'pkcs11js';
import { concat } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import { type CardKeyRef, describeKey, type KeyAlgorithm } from '../../keys.ts';
import { asBuffer, type ChildUsage } from '../token/session.ts';
import type { Workbench } from './workbench.ts';

/** D ‖ NOT D. */
export function pbocData(factor: Uint8Array): Buffer {
  return asBuffer(
    concat(
      factor,
      factor.map((byte) => ~byte),
    ),
  );
}

function derived<T>(
  { session, keys }: Workbench,
  ref: CardKeyRef,
  algorithm: KeyAlgorithm,
  data: Buffer,
  usage: ChildUsage,
  work: (child: Handle) => T,
): T {
  const master = keys.master(session, ref.master);
  if (master.algorithm !== algorithm)
    throw new VaultError('refused', `${describeKey(ref.master)} is ${master.algorithm}, not ${algorithm}`);
  return session.withDerived(master.handle, algorithm, data, usage, work);
}

/** The card's key as a session object. @throws VaultError `key-missing`, `refused`; Pkcs11Error */
export function withCardKey<T>(
  bench: Workbench,
  ref: CardKeyRef,
  algorithm: KeyAlgorithm,
  usage: ChildUsage,
  work: (key: Handle) => T,
): T {
  return derived(bench, ref, algorithm, pbocData(ref.factor), usage, work);
}

/**
 * The left half of a card's 3DES key, twice: single DES for tokens without it. ECB(master, D ‖ D) is that key, so
 * it too never leaves the token.
 */
export function withLeftHalf<T>(bench: Workbench, ref: CardKeyRef, work: (leftHalf: Handle) => T): T {
  const data = asBuffer(concat(ref.factor, ref.factor));
  return derived(bench, ref, 'des3-16', data, 'encrypt', work);
}
