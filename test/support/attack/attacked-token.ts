/** A token for the attack on the vault: two apps and two security domains, every master of it known, each with the rule that a site's has. */
import { randomBytes } from 'node:crypto';
import { ruleFor } from '../../../app/keyserver/keys/rules.ts';
import { OWN_RESOURCES, openCatalogue } from '../../../app/keyserver/resources.ts';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import type { VaultTokenConfig } from '../../../app/keyserver/vault/config.ts';
import type { MasterKeyId } from '../../../app/keyserver/vault/keys.ts';
import type { KnownMaster } from '../known-token.ts';

export type AttackedMaster = KnownMaster & { readonly version: number };

const APPS = ['e-wallet', 'transit'];
const DOMAINS = { 'demo-scp02': 'des3-16', 'demo-scp03': 'aes-128' } as const;

/** Puts the masters into an empty token: of the issuer's two versions each. */
export async function fillToken(config: VaultTokenConfig): Promise<readonly AttackedMaster[]> {
  const catalogue = openCatalogue(OWN_RESOURCES);
  const purposes = [
    ...APPS.flatMap((app) =>
      ['mck', 'mtk'].map((role) => ({ purpose: `app/${app}/${role}`, algorithm: 'des3-16' as const })),
    ),
    ...Object.entries(DOMAINS).flatMap(([type, algorithm]) =>
      ['enc', 'mac', 'dek'].map((role) => ({ purpose: `isd/${type}/${role}`, algorithm })),
    ),
  ];
  const ids = [
    { origin: 'factory', version: 1 },
    { origin: 'issuer', version: 1 },
    { origin: 'issuer', version: 2 },
  ] as const;
  const masters = purposes.flatMap((one) =>
    ids.map((id): AttackedMaster => ({ ...one, ...id, value: new Uint8Array(randomBytes(16)) })),
  );
  const admin = await openVaultAdmin(config);
  try {
    await admin.ensureSealKey();
    for (const { purpose, origin, version, algorithm, value } of masters) {
      const id: MasterKeyId = { purpose, origin, version };
      const rule = ruleFor(catalogue, id, 'new');
      await admin.importMaster({ id, algorithm, value: value.slice(), rule });
    }
  } finally {
    await admin.close();
  }
  return masters;
}
