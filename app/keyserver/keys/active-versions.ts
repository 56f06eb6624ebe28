/**
 * Which version of each of the issuer's keys new writes use. The store says it, at every job anew, so that a change counts on all
 * instances at once; the token must have that key, with the check value that the store knows.
 */
import { toHex } from '../../card/bytes.ts';
import { FACTOR_KINDS, type FactorKind } from '../../dialects/keys.ts';
import { KaikaError } from '../../protocol/errors.ts';
import type { ActiveVersion } from '../issuer/targets.ts';
import { type ActiveKey, listActive } from '../store/key-versions.ts';
import type { Store } from '../store/store.ts';
import type { MasterKeyInfo } from '../vault/keys.ts';
import type { Vault } from '../vault/vault.ts';
import { adoptKeys } from './versions.ts';

const FRESH_MILLISECONDS = 30_000;
/** How long a key that the token did not have is not looked for again: each look costs a call to the HSM. */
const MISSING_MILLISECONDS = 5_000;

interface ActiveVersionPorts {
  readonly store: Store;
  readonly vault: Pick<Vault, 'status'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** @throws VaultError, from the function it gives, while the token is away and was never asked */
export function openActiveVersions({ store, vault, now }: ActiveVersionPorts): () => Promise<ActiveVersion> {
  let masters: readonly MasterKeyInfo[] = [];
  let asked = Number.NEGATIVE_INFINITY;
  let missed: ReadonlySet<string> = new Set();
  const ask = async () => {
    masters = (await vault.status()).masters;
    asked = now();
    await adoptKeys(store, masters, new Date(asked));
  };
  const missing = (rows: readonly ActiveKey[]) =>
    rows
      .filter(({ purpose, version }) => keyIn(masters, purpose, version) === undefined)
      .map(({ purpose, version }) => `${purpose} ${version}`);
  return async () => {
    if (now() - asked > FRESH_MILLISECONDS) await ask();
    const rows = await listActive(store);
    // One that was made and activated since: new ones are asked for at once, others now and then.
    const late = now() - asked > MISSING_MILLISECONDS;
    if (missing(rows).some((key) => late || !missed.has(key))) {
      await ask();
      missed = new Set(missing(rows));
    }
    const known = masters;
    return (purpose) => {
      const row = rows.find((one) => one.purpose === purpose);
      if (row === undefined) throw new KaikaError('hsm-key-missing', `no version of ${purpose} is active`);
      const key = keyIn(known, purpose, row.version);
      if (key === undefined)
        throw new KaikaError('hsm-key-missing', `${purpose} version ${row.version} is not in the token`);
      if (toHex(key.checkValue) !== row.check_value)
        throw new KaikaError(
          'hsm-key-missing',
          `${purpose} version ${row.version}: the token has another key`,
        );
      return { version: row.version, factor: factorFixedWith(key) };
    };
  };
}

/** @throws KaikaError `hsm-key-missing` for a key that nothing may be written with any more: its next version may */
function factorFixedWith({ purpose, version, rule }: MasterKeyInfo): FactorKind | null {
  const needs = (what: string) => new KaikaError('hsm-key-missing', `${purpose} version ${version} ${what}`);
  if (rule === null) throw needs('has no rule in the token: keys fix gives it one');
  if (!purpose.startsWith('app/')) return null;
  // Of an account alone, it could be written to another card than the account's, where somebody reads it.
  if (rule.diversifiedBy === 'account') throw needs('is of an older program: keys make, then keys activate');
  return FACTOR_KINDS.find((kind) => kind === rule.diversifiedBy) ?? null;
}

function keyIn(
  masters: readonly MasterKeyInfo[],
  purpose: string,
  version: number,
): MasterKeyInfo | undefined {
  return masters.find((key) => key.purpose === purpose && key.origin === 'issuer' && key.version === version);
}
