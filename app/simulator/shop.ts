/** Makes the cards of the profiles: blank cards with keys everybody knows, or those that were ordered. */
import { z } from 'zod';
import { toHex } from '../card/bytes.ts';
import { newFmcos } from './applets/new-applet.ts';
import { readAtr } from './atr.ts';
import type { AnyImage } from './card-file.ts';
import { APP_IDS, APP_SHEETS, type FactoryMasters, makeCard } from './factory.ts';
import { type CardImage, cardImageSchema } from './image.ts';
import { ISSUER_NUMBER } from './isd/card-data.ts';
import { nativeImageSchema } from './native/native-image.ts';
import {
  type DemoProfile,
  type GpProfile,
  isProfileName,
  type NativeProfile,
  PROFILES,
  type ProfileName,
  SHOP_KEY,
} from './profiles.ts';

const hex = (bytes: readonly number[]) =>
  z.string().refine((text) => bytes.includes(text.length / 2) && /^[0-9A-F]*$/.test(text));

/** Which card to make; everything but the first two has the profile's value by default. */
export const cardOrderSchema = z.object({
  profile: z.string().refine(isProfileName),
  identificationCode: z.string().regex(/^\d{16}$/),
  scp: z.enum(['02', '03']).optional(),
  i: z.number().int().min(0).max(0x7f).optional(),
  keyVersion: z.number().int().min(1).max(0xff).optional(),
  /** Upper-case hexadecimal text. */
  atr: z.string().optional(),
  /** Free non-volatile bytes. */
  memory: z.number().int().nonnegative().optional(),
  /** Wrong authentications in a row that lock the issuer's keys for good. */
  failureLimit: z.number().int().min(1).max(0xff).optional(),
  /** Transport keys of the issuer's domain, and of the apps where there are any; 404142…4F by default. */
  keys: z.object({ enc: hex([16, 24, 32]), mac: hex([16, 24, 32]), dek: hex([16, 24, 32]) }).optional(),
});
/** See `cardOrderSchema`. */
export type CardOrder = z.input<typeof cardOrderSchema> & { readonly profile: ProfileName };

/** An order that no card can be made for, in a sentence. */
export class OrderError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OrderError';
  }
}

const FAILURE_LIMIT = 10;
const VOLATILE_MEMORY = 4096;
const SHOP_KEYS = { enc: SHOP_KEY, mac: SHOP_KEY, dek: SHOP_KEY };
/** Option i where the order names another protocol than the profile's. */
const USUAL_OPTION = { '02': 0x15, '03': 0x70 } as const;

/**
 * A fresh card.
 * @throws OrderError when protocol, option, keys and ATR do not go together
 */
export function makeShopCard(order: CardOrder): AnyImage {
  const parsed = cardOrderSchema.parse(order);
  const atr = parsed.atr === undefined ? undefined : readAtr(Uint8Array.from(Buffer.from(parsed.atr, 'hex')));
  if (typeof atr === 'string') throw new OrderError(`${atr[0]?.toUpperCase() ?? ''}${atr.slice(1)}.`);
  const profile = PROFILES[order.profile];
  switch (profile.kind) {
    case 'gp':
      return gpCard(order, profile);
    case 'demo':
      return demoCard(order, profile);
    case 'native':
      return nativeCard(order, profile);
  }
}

function gpCard(order: CardOrder, profile: GpProfile): CardImage {
  const { domains } = profile;
  const scp = order.scp ?? profile.scp;
  const option = order.i ?? (scp === profile.scp ? profile.i : USUAL_OPTION[scp]);
  const memory = order.memory ?? profile.memory;
  const image = {
    format: 1,
    type: order.profile,
    atr: order.atr ?? profile.atr,
    identificationCode: order.identificationCode,
    // Amendment D, and with it SCP03, is for 2.2 and later.
    version: scp === '03' && profile.version === '2.1.1' ? '2.2.1' : profile.version,
    cplc: productionData(order.identificationCode),
    memory: { nonVolatile: memory, volatile: VOLATILE_MEMORY },
    keyWriteAtomic: true,
    domain: {
      aid: profile.isd,
      lifecycle: profile.lifecycle,
      protocol: { scp, i: option },
      keySets: [keySet(scp, order.keyVersion ?? profile.keyVersion, order.keys ?? SHOP_KEYS)],
      failedAuthentications: 0,
      failureLimit: order.failureLimit ?? FAILURE_LIMIT,
    },
    packages:
      domains === undefined
        ? []
        : [{ aid: domains.package, version: '0100', size: 0, modules: [domains.module] }],
    instances: [],
    transport: {},
  };
  return checked(image, scp, option);
}

/** CPLC: fabricator and type of the chip, system and its dates (year digit, day), serial number, module and card maker. */
function productionData(code: string): string {
  const chip = `4B41${'4B44'}${'4B4F'}${'5100'}${'0103'}${'5120'}`;
  const made = `${code.slice(8)}${'0001'}${'4B41'}${'5150'}${'4B41'}${'5160'}`;
  return (chip + made).padEnd(84, '0');
}

/** Schema errors of protocol and option as a sentence; anything else is a fault of this module. */
function checked(image: unknown, scp: '02' | '03', option: number): CardImage {
  const result = cardImageSchema.safeParse(image);
  if (result.success) return result.data;
  if (result.error.issues.some(({ path }) => path.includes('protocol')))
    throw new OrderError(
      `This card has no SCP${scp} with i=${toHex(Uint8Array.of(option))}; it has ${OPTIONS[scp]}.`,
    );
  throw result.error;
}

const OPTIONS = {
  '02': 'SCP02 with i=05, 15, 25, 35, 45, 55, 65 and 75',
  '03': 'SCP03 with i=00, 10, 20, 30, 60 and 70, and each of them plus 01 for S16',
} as const;

function keySet(
  scp: '02' | '03',
  version: number,
  keys: { readonly enc: string; readonly mac: string; readonly dek: string },
) {
  const kind = scp === '02' ? 'des3' : 'aes';
  const lengths = new Set([keys.enc.length, keys.mac.length, keys.dek.length]);
  if (lengths.size > 1) throw new OrderError('The three keys have one length.');
  if (scp === '02' && !lengths.has(32)) throw new OrderError('SCP02 takes keys of 16 bytes.');
  return {
    version,
    sequenceCounter: 0,
    keys: [keys.enc, keys.mac, keys.dek].map((value, index) => ({ id: index + 1, kind, value })),
  };
}

/** A card of the data sheet, with undiversified keys in place of the delivery's. */
function demoCard(order: CardOrder, _profile: DemoProfile): CardImage {
  const type = order.profile === 'demo-scp02' ? 'demo-scp02' : 'demo-scp03';
  const image = makeCard(
    {
      type,
      identificationCode: order.identificationCode,
      ...(order.memory === undefined ? {} : { memory: order.memory }),
    },
    NO_MASTERS,
  );
  const { scp: ownScp, i: ownOption } = image.domain.protocol;
  const scp = order.scp ?? ownScp;
  const option = order.i ?? (scp === ownScp ? ownOption : USUAL_OPTION[scp]);
  const keys = order.keys ?? SHOP_KEYS;
  const app = appKeys(keys);
  const instances = image.instances.map((instance) => ({
    ...instance,
    applet:
      instance.applet.kind === 'fmcos'
        ? { ...instance.applet, keys: newFmcos(app, image.keyWriteAtomic).keys }
        : instance.applet,
  }));
  const transport = Object.fromEntries(
    Object.entries(image.transport).map(([aid, known]) => [aid, { ...known, ...app }]),
  );
  const domain = {
    ...image.domain,
    protocol: { scp, i: option },
    keySets: [keySet(scp, order.keyVersion ?? 0x01, keys)],
    ...(order.failureLimit === undefined ? {} : { failureLimit: order.failureLimit }),
  };
  return checked({ ...image, atr: order.atr ?? image.atr, instances, transport, domain }, scp, option);
}

/** FMCOS keys have 16 bytes: the left of longer ones. */
function appKeys({ mac, dek }: { readonly mac: string; readonly dek: string }) {
  return { mck: mac.slice(0, 32), mtk: dek.slice(0, 32) };
}

const NO_KEY = '00'.repeat(16);
const NO_APP = { mck: NO_KEY, mtk: NO_KEY };
const NO_MASTERS: FactoryMasters = {
  isd: { enc: NO_KEY, mac: NO_KEY, dek: NO_KEY },
  apps: { 'e-wallet': NO_APP, identity: NO_APP, 'campus-meal': NO_APP, transit: NO_APP },
};

/** Name of the master file: "1PAY.SYS.DDF01" (PBOC). */
const MASTER_NAME = '315041592E5359532E4444463031';
/** Short id of the master file's public file: issuer, identification code. */
const CARD_FILE_ID = 0x05;

/** Master file and the four apps of the data sheet, file ids DF01 to DF04. */
function nativeCard(order: CardOrder, profile: NativeProfile): AnyImage {
  const unfit = (['scp', 'i', 'keyVersion', 'memory', 'failureLimit'] as const).find(
    (key) => order[key] !== undefined,
  );
  if (unfit !== undefined)
    throw new OrderError(
      'A card without GlobalPlatform has no secure channel, no tries and no memory to choose.',
    );
  const keys = appKeys(order.keys ?? SHOP_KEYS);
  const master = {
    ...newFmcos(keys, true),
    files: [
      {
        shortId: CARD_FILE_ID,
        data: ISSUER_NUMBER + order.identificationCode,
        writeKey: { type: 0x36, id: 0x00 },
        macFailures: 0,
      },
    ],
  };
  const apps = APP_IDS.map((id, index) => ({
    fileId: `DF0${index + 1}`,
    name: APP_SHEETS[id].appletAid,
    state: { ...newFmcos(keys, true), ...(APP_SHEETS[id].purse ? { balance: 0 } : {}) },
  }));
  return nativeImageSchema.parse({
    format: 'native 1',
    type: order.profile,
    atr: order.atr ?? profile.atr,
    identificationCode: order.identificationCode,
    directories: [{ fileId: '3F00', name: MASTER_NAME, state: master }, ...apps],
  });
}
