/**
 * A card type that exists only in a test: a profile file of its own beside the delivered ones, its masters in the token, and virtual
 * cards that answer as it says. Nothing of the program knows it.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, toHex } from '../../app/card/bytes.ts';
import type { Catalogue } from '../../app/catalogue/schema.ts';
import {
  hasPredictableChallenges,
  maximumBlockSize,
  SCP03_S16,
} from '../../app/globalplatform/security-level.ts';
import type { JobContext } from '../../app/keyserver/jobs/context.ts';
import { ruleFor } from '../../app/keyserver/keys/rules.ts';
import { OWN_RESOURCES, openCatalogue, openPackages } from '../../app/keyserver/resources.ts';
import { openVaultAdmin } from '../../app/keyserver/vault/admin.ts';
import type { KeyAlgorithm, MasterKeyId } from '../../app/keyserver/vault/keys.ts';
import { makeCard } from '../../app/simulator/factory.ts';
import { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { type IssuerRig, type MakeToken, openIssuerRig, randomDigits } from './issuer-rig.ts';
import { type RigVerbs, verbsOf } from './rig-verbs.ts';
import { shared } from './shared.ts';
import type { StoreKind } from './stores.ts';
import { scratchFolder } from './temporary.ts';

/** Factory keys of every card of the type, where they are not diversified. */
export const FACTORY_KEYS = {
  enc: '404142434445464748494A4B4C4D4E4F',
  mac: '505152535455565758595A5B5C5D5E5F',
  dek: '606162636465666768696A6B6C6D6E6F',
} as const;

export interface TypeSpec {
  readonly id: string;
  readonly scp: '02' | '03';
  readonly i: string;
  /** Last two bytes of the ATR, historical byte and check. */
  readonly atr: string;
  readonly factoryKeys: {
    readonly keyVersion: string;
    readonly diversification: Readonly<Record<string, string>>;
  };
  readonly issuerKeys: Readonly<Record<string, unknown>>;
  readonly maximumTries?: number;
  /** `01` when left out. */
  readonly securityLevel?: string;
  /** A card that knows T=0 only. */
  readonly t0?: boolean;
}

export interface OtherType {
  readonly id: string;
  newCard(change?: CardChange): { card: VirtualCard; identification: string };
}

/** What differs on one card from its type: other keys, or another state of its life. */
export interface CardChange {
  readonly keys?: Readonly<Record<keyof typeof FACTORY_KEYS, string>>;
  readonly lifecycle?: number;
}

export interface OtherTypesRig extends RigVerbs {
  readonly rig: IssuerRig;
  readonly context: JobContext;
  /** The folder of the catalogue with these types. */
  readonly resources: string;
  type(id: string): OtherType;
  close(): Promise<void>;
}

/** A rig whose catalogue has these types too. */
export async function openOtherTypes(
  specs: readonly TypeSpec[],
  kind: StoreKind = 'sqlite',
  makeToken?: MakeToken,
): Promise<OtherTypesRig> {
  const rig = await openIssuerRig(kind, makeToken);
  try {
    return await withTypes(rig, specs);
  } catch (error) {
    await rig.close();
    throw error;
  }
}

/** Masters of the types in the rig's token. */
async function addMasters(
  { token }: IssuerRig,
  specs: readonly TypeSpec[],
  catalogue: Catalogue,
): Promise<void> {
  const admin = await openVaultAdmin(token);
  try {
    for (const { id, scp } of specs) {
      const algorithm: KeyAlgorithm = scp === '02' ? 'des3-16' : 'aes-128';
      for (const key of ['enc', 'mac', 'dek'] as const) {
        const purpose = `isd/${id}/${key}`;
        const [factory, issuer] = (['factory', 'issuer'] as const).map((origin) => {
          const one: MasterKeyId = { purpose, origin, version: 1 };
          return { id: one, algorithm, rule: ruleFor(catalogue, one, 'new') };
        });
        if (factory === undefined || issuer === undefined) throw new Error('two masters a key');
        await admin.importMaster({ ...factory, value: fromHex(FACTORY_KEYS[key]) });
        await admin.generateMaster(issuer);
      }
    }
  } finally {
    await admin.close();
  }
}

async function withTypes(rig: IssuerRig, specs: readonly TypeSpec[]): Promise<OtherTypesRig> {
  const folder = scratchFolder('kaika-resources-');
  cpSync(OWN_RESOURCES, folder, { recursive: true });
  for (const spec of specs)
    writeFileSync(join(folder, 'profiles', `${spec.id}.json`), JSON.stringify(profileOf(spec)));
  const catalogue = openCatalogue(folder);
  await addMasters(rig, specs, catalogue);
  const context = { ...rig.context, catalogue, package: openPackages(folder, catalogue) };
  return {
    ...verbsOf(context),
    rig,
    resources: folder,
    context,
    type(id) {
      const spec = specs.find((one) => one.id === id);
      if (spec === undefined) throw new Error(`no type ${id}`);
      return { id, newCard: (change) => newCard(rig, spec, change) };
    },
    async close() {
      await rig.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same for the tests of a file, or of one describe. */
export const otherTypes = (
  specs: readonly TypeSpec[],
  kind?: StoreKind,
  makeToken?: MakeToken,
): OtherTypesRig => shared(() => openOtherTypes(specs, kind, makeToken));

/** The demo's profile with what differs. */
function profileOf(spec: TypeSpec): object {
  const file = new URL(`../../resources/profiles/demo-scp${spec.scp}.json`, import.meta.url);
  const demo: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  const domain: object = Object(demo['securityDomain']);
  return {
    ...demo,
    id: spec.id,
    recognise: { atr: { value: atrOf(spec), mask: 'FF'.repeat(atrOf(spec).length / 2) } },
    securityDomain: {
      ...domain,
      i: spec.i,
      challenges: hasPredictableChallenges(spec.scp, Number.parseInt(spec.i, 16)) ? 'predictable' : 'random',
      maximumTries: spec.maximumTries ?? 10,
      securityLevel: spec.securityLevel ?? '01',
      blockSize: maximumBlockSize(Number.parseInt(spec.securityLevel ?? '01', 16), isS16(spec) ? 16 : 8),
      factoryKeys: { version: 1, ...spec.factoryKeys },
      issuerKeys: spec.issuerKeys,
    },
  };
}

function isS16({ scp, i }: TypeSpec): boolean {
  return scp === '03' && (Number.parseInt(i, 16) & SCP03_S16) !== 0;
}

/** T=1 in the byte TD1; T=0 where there is none (ISO/IEC 7816-3 §8.2.3). */
function atrOf({ atr, t0 = false }: TypeSpec): string {
  return t0 ? `3B064B41494B${atr}` : `3B85014B41494B${atr}`;
}

function newCard(rig: IssuerRig, spec: TypeSpec, change: CardChange = {}) {
  const identification = randomDigits(16);
  const type = spec.scp === '02' ? 'demo-scp02' : 'demo-scp03';
  const protocolOption = Number.parseInt(spec.i, 16);
  const image = makeCard({ type, identificationCode: identification, protocolOption }, rig.delivery[type]);
  const values = change.keys ?? FACTORY_KEYS;
  const [set] = image.domain.keySets;
  if (set === undefined) throw new Error('a card without keys');
  // Diversified factory keys are those of the delivered type; only undiversified ones are put here.
  if (spec.factoryKeys.diversification['kind'] === 'none' || change.keys !== undefined) {
    for (const [at, key] of (['enc', 'mac', 'dek'] as const).entries()) {
      const slot = set.keys[at];
      if (slot !== undefined) slot.value = values[key];
    }
  }
  set.version = Number.parseInt(spec.factoryKeys.keyVersion, 16);
  image.domain.lifecycle = change.lifecycle ?? 0x01;
  image.atr = atrOf(spec);
  const card = new VirtualCard(image);
  card.powerOn();
  return { card, identification };
}

/** Version numbers of the key sets on a card, and its own word on its life. */
export function domainOnCard(card: VirtualCard) {
  const { keySets, lifecycle, failedAuthentications } = card.image.domain;
  return { versions: keySets.map((set) => set.version), lifecycle, failedAuthentications };
}

/** The values of the keys of one version, joined. */
export function keysOnCard(card: VirtualCard, version: number): string {
  const set = card.image.domain.keySets.find((one) => one.version === version);
  return (set?.keys ?? []).map((key) => toHex(fromHex(key.value))).join(' ');
}
