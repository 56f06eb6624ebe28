/** Cards as a shop would hand them over: every profile of `npm run card`, as data (docs/guide/virtual-card.md). */

/** The keys cards are delivered with where nobody ordered others: 40 41 42 … 4F, as every tool knows them. */
export const SHOP_KEY = '404142434445464748494A4B4C4D4E4F';

/** A card with a GlobalPlatform. */
export interface GpProfile {
  readonly kind: 'gp';
  readonly what: string;
  /** Answer to reset, TCK included. */
  readonly atr: string;
  readonly version: '2.1.1' | '2.2.1' | '2.3.1';
  readonly isd: string;
  readonly scp: '02' | '03';
  readonly i: number;
  readonly keyVersion: number;
  /** Card life cycle as delivered. */
  readonly lifecycle: number;
  /** Package and module security domains are made from. */
  readonly domains?: { readonly package: string; readonly module: string };
  /** Free non-volatile bytes. */
  readonly memory: number;
}

/** A card of the data sheet docs/cards/demo-card.md. */
export interface DemoProfile {
  readonly kind: 'demo';
  readonly what: string;
}

/** A card without GlobalPlatform. */
export interface NativeProfile {
  readonly kind: 'native';
  readonly what: string;
  readonly atr: string;
}

type Profile = GpProfile | DemoProfile | NativeProfile;

const OLDER_DOMAINS = { package: 'A0000000035350', module: 'A000000003535041' } as const;
const DOMAINS = { package: 'A0000001515350', module: 'A000000151535041' } as const;
const ISD = 'A000000151000000';
const OP_READY = 0x01;
const SECURED = 0x0f;

const PROFILES_BY_NAME = {
  'demo-scp03': { kind: 'demo', what: 'the demo card, SCP03 i=70, with its apps' },
  'demo-scp02': { kind: 'demo', what: 'the older demo card, SCP02 i=55, with its apps' },
  'shop-scp02': {
    kind: 'gp',
    what: 'a blank card of GlobalPlatform 2.1.1 with SCP02 i=15, T=1',
    atr: '3B88014B414953484F5032FC',
    version: '2.1.1',
    isd: 'A000000003000000',
    scp: '02',
    i: 0x15,
    keyVersion: 0xff,
    lifecycle: OP_READY,
    domains: OLDER_DOMAINS,
    memory: 70_000,
  },
  'shop-scp03': {
    kind: 'gp',
    what: 'a blank card of GlobalPlatform 2.3.1 with SCP03 i=10 and AES-128, T=1',
    atr: '3B88014B414953484F5033FD',
    version: '2.3.1',
    isd: ISD,
    scp: '03',
    i: 0x10,
    keyVersion: 0xff,
    lifecycle: OP_READY,
    domains: DOMAINS,
    memory: 160_000,
  },
  'jcop-scp03': {
    kind: 'gp',
    what: 'JCOP-like: SCP03 i=70 with AES-128, predictable challenges, key version 30, T=1',
    atr: '3B88014B41494A434F5034E8',
    version: '2.2.1',
    isd: ISD,
    scp: '03',
    i: 0x70,
    keyVersion: 0x30,
    lifecycle: OP_READY,
    domains: DOMAINS,
    memory: 100_000,
  },
  'sim-scp02-15': {
    kind: 'gp',
    what: 'SIM-like: SCP02 i=15, key version 20, SECURED, T=0',
    atr: '3B9896801FC74B414953494D313546',
    version: '2.2.1',
    isd: ISD,
    scp: '02',
    i: 0x15,
    keyVersion: 0x20,
    lifecycle: SECURED,
    domains: DOMAINS,
    memory: 60_000,
  },
  'sim-scp02-55': {
    kind: 'gp',
    what: 'SIM-like: SCP02 i=55 with predictable challenges, key version 20, SECURED, T=0',
    atr: '3B9896801FC74B414953494D353542',
    version: '2.2.1',
    isd: ISD,
    scp: '02',
    i: 0x55,
    keyVersion: 0x20,
    lifecycle: SECURED,
    domains: DOMAINS,
    memory: 60_000,
  },
  'fmcos-native': {
    kind: 'native',
    what: 'a native FMCOS card with the four apps, no GlobalPlatform, T=0',
    atr: '3B6900004B41494E4154495645',
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof PROFILES_BY_NAME;

/** Every profile by name. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = PROFILES_BY_NAME;

/** Whether there is a profile of this name. */
export function isProfileName(text: string): text is ProfileName {
  return Object.hasOwn(PROFILES_BY_NAME, text);
}
