/** A card's key, derived in the token for the length of one call (PBOC diversification, docs/cards/demo-card.md). */
import type { Handle } from 'pkcs11js';
import { concat } from '../../../../card/bytes.ts';
import { VaultError } from '../../error.ts';
import { type CardKeyRef, type CardStatement, describeKey, type KeyAlgorithm } from '../../keys.ts';
import { asBuffer, type ChildUsage } from '../token/session.ts';
import { requireOfCard } from './one-card.ts';
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
  bench: Workbench,
  card: CardStatement,
  ref: CardKeyRef,
  algorithm: KeyAlgorithm,
  data: Buffer,
  usage: ChildUsage,
  work: (child: Handle) => T,
): T {
  const { session, keys } = bench;
  const master = keys.master(session, ref.master);
  if (master.algorithm !== algorithm)
    throw new VaultError('refused', `${describeKey(ref.master)} is ${master.algorithm}, not ${algorithm}`);
  const at = { ...card, account: ref.account ?? card.account };
  requireOfCard(bench, at, ref.master, { kind: 'pboc', factor: ref.factor });
  return session.withDerived(master.handle, algorithm, data, usage, work);
}

/** The key of the card that the call names, as a session object. @throws VaultError `key-missing`, `refused`; Pkcs11Error */
export function withCardKey<T>(
  bench: Workbench,
  card: CardStatement,
  ref: CardKeyRef,
  algorithm: KeyAlgorithm,
  usage: ChildUsage,
  work: (key: Handle) => T,
): T {
  return derived(bench, card, ref, algorithm, pbocData(ref.factor), usage, work);
}

/**
 * The left half of a card's 3DES key, twice: single DES for tokens without it. ECB(master, D ‖ D) is that key, so
 * it too never leaves the token.
 */
export function withLeftHalf<T>(
  bench: Workbench,
  card: CardStatement,
  ref: CardKeyRef,
  work: (leftHalf: Handle) => T,
): T {
  const data = asBuffer(concat(ref.factor, ref.factor));
  return derived(bench, card, ref, 'des3-16', data, 'encrypt', work);
}
