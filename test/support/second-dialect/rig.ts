/** A key server that knows Lantern, and cards with a Lantern app: made of the same parts as every rig, with the two registrations. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex } from '../../../app/card/bytes.ts';
import { makeDemoToken } from '../../../app/demo/delivery.ts';
import type { JobContext } from '../../../app/keyserver/jobs/context.ts';
import { openActiveVersions } from '../../../app/keyserver/keys/active-versions.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../../../app/keyserver/resources.ts';
import { openVaultAdmin } from '../../../app/keyserver/vault/admin.ts';
import { startVault } from '../../../app/keyserver/vault/client.ts';
import { openIssuerRig } from '../issuer-rig.ts';
import { cardKey } from '../known-token.ts';
import { shared } from '../shared.ts';
import { scratchFolder } from '../temporary.ts';
import { LANTERN_AID, LanternCard } from './card.ts';
import { DIALECTS_WITH_LANTERN } from './dialect.ts';
import { DOOR } from './rule.ts';
import { FAMILIES_WITH_LANTERN } from './vault-families.ts';

const APP = {
  id: 'lantern',
  name: { 'zh-CN': '灯', en: 'Lantern' },
  icon: 'card',
  packageAid: LANTERN_AID.slice(0, -2),
  appletAid: LANTERN_AID,
  instanceAid: LANTERN_AID,
  memory: { load: 0, instance: 0 },
  purse: false,
};
const RULE = { dialect: 'lantern', tries: 5, delivered: { version: 1, factor: 'identification' } };
const DELIVERED = {
  purpose: `app/${APP.id}/${DOOR}`,
  origin: 'factory' as const,
  algorithm: 'des3-16' as const,
  value: fromHex('102132435465768798A9BACBDCEDFE0F'),
};

export interface LanternRig {
  readonly context: JobContext;
  newCard(): { readonly card: LanternCard; readonly identification: string };
  close(): Promise<void>;
}

export const lanternRig = (): LanternRig => shared(openLanternRig);

async function openLanternRig(): Promise<LanternRig> {
  const rig = await openIssuerRig('sqlite', async (token, delivery) => {
    const config = await makeDemoToken(token, delivery);
    const admin = await openVaultAdmin(config);
    try {
      const { purpose, algorithm, origin, value } = DELIVERED;
      await admin.importMaster({
        id: { purpose, origin, version: 1 },
        algorithm,
        value: value.slice(),
        rule: { diversifiedBy: 'identification', records: [] },
      });
      for (const version of [1, 2])
        await admin.generateMaster({
          id: { purpose, origin: 'issuer', version },
          algorithm,
          rule: { diversifiedBy: 'card', records: [] },
        });
    } finally {
      await admin.close();
    }
    return config;
  });
  const entry = new URL('./vault-process.ts', import.meta.url);
  const vault = await startVault(rig.token, { families: FAMILIES_WITH_LANTERN, entry });
  const folder = resources();
  const catalogue = openCatalogue(folder, DIALECTS_WITH_LANTERN);
  const { store } = rig.context;
  return {
    context: {
      ...rig.context,
      vault,
      catalogue,
      package: openPackages(folder, catalogue),
      activeVersions: openActiveVersions({ store, vault, now: () => Date.now() }),
    },
    newCard() {
      const { card, identification } = rig.newCard();
      return { card: new LanternCard(card, cardKey(DELIVERED, identification)), identification };
    },
    async close() {
      await vault.close();
      await rig.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The program's resources, with one more app, which cards of one demo type may carry. */
function resources(): string {
  const folder = scratchFolder('kaika-lantern-');
  cpSync(OWN_RESOURCES, folder, { recursive: true });
  const apps: object[] = JSON.parse(readFileSync(join(folder, 'apps.json'), 'utf8'));
  writeFileSync(join(folder, 'apps.json'), JSON.stringify([...apps, APP]));
  const file = join(folder, 'profiles', 'demo-scp03.json');
  const profile: { apps: object } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...profile, apps: { ...profile.apps, [APP.id]: RULE } }));
  return folder;
}
