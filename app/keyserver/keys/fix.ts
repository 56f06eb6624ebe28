/** Masters of a program that fixed nothing with them get the rule that they lack, once, and that is on record. */
import type { Catalogue } from '../../catalogue/schema.ts';
import { requireRight } from '../access/terminal.ts';
import { writeAudit } from '../audit/entries.ts';
import type { Store } from '../store/store.ts';
import type { VaultAdmin } from '../vault/admin.ts';
import type { MasterKeyInfo } from '../vault/keys.ts';
import { ruleFor } from './rules.ts';
import type { KeyChange } from './versions.ts';

/** The masters of a token that nothing may be done with yet, each with the rule that the catalogue has for it. */
export function rulesToFix(catalogue: Catalogue, masters: readonly MasterKeyInfo[]) {
  return masters
    .filter(({ rule }) => rule === null)
    .map(({ purpose, origin, version }) => {
      const id = { purpose, origin, version };
      return { id, rule: ruleFor(catalogue, id, 'before') };
    });
}

/**
 * Fixes what is to be fixed. Where it ends in between, the next run does the rest.
 * @throws KaikaError `not-permitted`; `bad-request`, before the first, where the catalogue does not say a rule; VaultError
 */
export async function fixKeys(
  store: Store,
  admin: Pick<VaultAdmin, 'setRule' | 'listMasters'>,
  catalogue: Catalogue,
  { operator, reason }: Pick<KeyChange, 'operator' | 'reason'>,
  now: Date,
): Promise<readonly MasterKeyInfo[]> {
  await requireRight(store, operator, 'change-keys');
  const fixed: MasterKeyInfo[] = [];
  for (const one of rulesToFix(catalogue, await admin.listMasters())) fixed.push(await admin.setRule(one));
  if (fixed.length === 0) return fixed;
  const keys = fixed.map(
    ({ purpose, origin, version, rule }) => `${purpose} ${origin} v${version} ${rule?.diversifiedBy ?? ''}`,
  );
  await writeAudit(store, { kind: 'key-fix', operator, detail: { reason, keys } }, now);
  return fixed;
}
