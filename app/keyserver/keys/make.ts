/** A new version of a key, made inside the token; nothing uses it until it is activated. */
import type { Catalogue } from '../../catalogue/schema.ts';
import { KaikaError } from '../../protocol/errors.ts';
import { requireRight } from '../access/terminal.ts';
import { listVersions } from '../store/key-versions.ts';
import type { Store } from '../store/store.ts';
import type { VaultAdmin } from '../vault/admin.ts';
import type { KeyAlgorithm, MasterKeyInfo } from '../vault/keys.ts';
import { ruleFor } from './rules.ts';
import { adoptKeys, type KeyChange, noteMade } from './versions.ts';

/**
 * Makes the next version of every key under a name: the same number for all, so that what belongs together has one number. Where an
 * earlier attempt ended between two of them, what is missing is made. (A ceremony with components is another way to the same.)
 * What each is diversified by, and where it may be written, is fixed with it as the catalogue says it now.
 * @throws KaikaError `not-permitted`, `bad-request` where the catalogue does not say it, `hsm-key-missing` where there is no key yet to take the algorithm from; VaultError
 */
export async function makeKeys(
  store: Store,
  admin: Pick<VaultAdmin, 'generateMaster' | 'listMasters'>,
  catalogue: Catalogue,
  change: KeyChange,
  now: Date,
): Promise<readonly MasterKeyInfo[]> {
  await requireRight(store, change.operator, 'change-keys');
  const masters = await admin.listMasters();
  await adoptKeys(store, masters, now);
  const { purposes } = change;
  const recorded = await listVersions(store);
  const made = await makeInside(admin, catalogue, purposes, masters, recorded);
  const { version = 0 } = made[0] ?? {};
  // Those that an interrupted attempt left in the token were never noted.
  const unnoted = purposes.flatMap((purpose) =>
    issuerKeys(masters, purpose).filter(
      (key) =>
        key.version === version &&
        recorded.every((row) => row.purpose !== purpose || row.version !== version),
    ),
  );
  await noteMade(store, [...unnoted, ...made], change, now);
  return made;
}

/**
 * The part of it that is the token's. `recorded`: versions that were ever used, where there is a store to ask.
 * @throws as `makeKeys`
 */
export async function makeInside(
  admin: Pick<VaultAdmin, 'generateMaster'>,
  catalogue: Catalogue,
  purposes: readonly string[],
  masters: readonly MasterKeyInfo[],
  recorded: readonly { readonly purpose: string; readonly version: number }[],
): Promise<readonly MasterKeyInfo[]> {
  const newest = (purpose: string) =>
    Math.max(
      0,
      ...issuerKeys(masters, purpose).map(({ version }) => version),
      // A number that was ever used is never used again, whatever became of its key.
      ...recorded.filter((row) => row.purpose === purpose).map(({ version }) => version),
    );
  const top = Math.max(...purposes.map(newest));
  const behind = purposes.filter((purpose) => newest(purpose) < top);
  const version = behind.length === 0 ? top + 1 : top;
  const made: MasterKeyInfo[] = [];
  for (const purpose of behind.length === 0 ? purposes : behind) {
    const id = { purpose, origin: 'issuer', version } as const;
    const rule = ruleFor(catalogue, id, 'new');
    made.push(await admin.generateMaster({ id, algorithm: algorithmOf(masters, purpose), rule }));
  }
  return made;
}

function issuerKeys(masters: readonly MasterKeyInfo[], purpose: string): MasterKeyInfo[] {
  return masters.filter((key) => key.purpose === purpose && key.origin === 'issuer');
}

/** A key keeps its algorithm: what a card takes in its place has the same length. */
function algorithmOf(masters: readonly MasterKeyInfo[], purpose: string): KeyAlgorithm {
  const known = masters.find((key) => key.purpose === purpose);
  if (known === undefined)
    throw new KaikaError('hsm-key-missing', `the token has no ${purpose} to take the algorithm from`);
  return known.algorithm;
}
