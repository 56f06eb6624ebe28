/** The factory: fresh cards as the data sheet delivers them. */
import { z } from 'zod';
import { concat, fromHex, toHex } from '../card/bytes.ts';
import { newFmcos } from './applets/new-applet.ts';
import { aesEcbEncrypt, desEcbEncrypt } from './crypto.ts';
import { type AppletState, type CardImage, parseCardImage } from './image.ts';
import { usedMemory } from './memory.ts';

/** Ids of the demo apps. */
export const APP_IDS = ['e-wallet', 'identity', 'campus-meal', 'transit'] as const;
/** One of the demo apps. */
type AppId = (typeof APP_IDS)[number];

const key16 = z.string().regex(/^[0-9A-Fa-f]{32}$/);

/** The delivery's factory masters, hexadecimal: ISD of this card type, and two keys an app. */
export const factoryMastersSchema = z.object({
  isd: z.object({ enc: key16, mac: key16, dek: key16 }),
  apps: z.object({
    'e-wallet': z.object({ mck: key16, mtk: key16 }),
    identity: z.object({ mck: key16, mtk: key16 }),
    'campus-meal': z.object({ mck: key16, mtk: key16 }),
    transit: z.object({ mck: key16, mtk: key16 }),
  }),
});
/** See `factoryMastersSchema`. */
export type FactoryMasters = z.infer<typeof factoryMastersSchema>;

/** Which card to make; everything but the first two has the data sheet's value by default. */
const cardSpecSchema = z.object({
  type: z.enum(['demo-scp03', 'demo-scp02']),
  identificationCode: z.string().regex(/^\d{16}$/),
  /** Apps delivered installed. */
  installed: z.array(z.enum(APP_IDS)).optional(),
  /** Bytes FF21 shows as free on the delivered card; what is delivered installed comes on top. */
  memory: z.number().int().nonnegative().optional(),
  /** Bytes of each load file delivered on the card. */
  packageBytes: z.number().int().nonnegative().optional(),
  /** Cents. */
  balances: z
    .object({ 'e-wallet': z.number().int().nonnegative(), transit: z.number().int().nonnegative() })
    .partial()
    .optional(),
  /** Counter byte of each app's transport keys, 33 by default. */
  counters: z
    .object({
      'e-wallet': z.number().int(),
      identity: z.number().int(),
      'campus-meal': z.number().int(),
      transit: z.number().int(),
    })
    .partial()
    .optional(),
  keyWriteAtomic: z.boolean().optional(),
  /** Another option "i" than the type's, for tests of the protocols. */
  protocolOption: z.number().int().optional(),
});
/** See `cardSpecSchema`. */
export type CardSpec = z.infer<typeof cardSpecSchema>;

/** Registry entries of one demo app. */
interface AppSheet {
  readonly packageAid: string;
  readonly appletAid: string;
  readonly installed: boolean;
  readonly purse: boolean;
}

/** Data sheet "Applications". */
export const APP_SHEETS: Readonly<Record<AppId, AppSheet>> = {
  'e-wallet': app('1', true, true),
  identity: app('2', true, false),
  'campus-meal': app('3', false, false),
  transit: app('4', true, true),
};

function app(digit: string, installed: boolean, purse: boolean): AppSheet {
  const packageAid = `F04B41494B410${digit}00`;
  return { packageAid, appletAid: `${packageAid}01`, installed, purse };
}

/** Data sheet "Card types". */
const TYPES = {
  'demo-scp03': { atr: '3B85014B41494B41CD', scp: '03', i: 0x70, kind: 'aes' },
  'demo-scp02': { atr: '3B85014B41494B32BE', scp: '02', i: 0x55, kind: 'des3' },
} as const;

const FREE_MEMORY = 80_000;
const VOLATILE_MEMORY = 4096;
const PACKAGE_BYTES = 4096;
const FAILURE_LIMIT = 10;

/** A card's key: ECB of D ‖ NOT D under the master. */
function diversify(kind: 'aes' | 'des3', master: string, code: string): string {
  const d = fromHex(code);
  const block = concat(
    d,
    d.map((byte) => byte ^ 0xff),
  );
  return toHex((kind === 'aes' ? aesEcbEncrypt : desEcbEncrypt)(fromHex(master), block));
}

/**
 * A fresh card.
 * @throws z.ZodError when spec or masters are not what the types say
 */
export function makeCard(specification: CardSpec, delivery: FactoryMasters): CardImage {
  const spec = cardSpecSchema.parse(specification);
  const masters = factoryMastersSchema.parse(delivery);
  const type = TYPES[spec.type];
  const code = spec.identificationCode;
  const isdKey = (id: number, master: string) => ({
    id,
    kind: type.kind,
    value: diversify(type.kind, master, code),
  });
  const base = {
    keyWriteAtomic: spec.keyWriteAtomic ?? true,
    transport: Object.fromEntries(
      APP_IDS.map((id) => [APP_SHEETS[id].packageAid, transport(id, code, masters)]),
    ),
  };
  const content = deliveredContent(base, spec);
  return parseCardImage({
    format: 1,
    type: spec.type,
    atr: type.atr,
    identificationCode: code,
    memory: {
      nonVolatile: (spec.memory ?? FREE_MEMORY) + usedMemory(content),
      volatile: VOLATILE_MEMORY,
    },
    ...base,
    domain: {
      aid: 'A000000151000000',
      lifecycle: 0x0f,
      protocol: { scp: type.scp, i: spec.protocolOption ?? type.i },
      keySets: [
        {
          version: 0x01,
          sequenceCounter: 0,
          keys: [isdKey(1, masters.isd.enc), isdKey(2, masters.isd.mac), isdKey(3, masters.isd.dek)],
        },
      ],
      failedAuthentications: 0,
      failureLimit: FAILURE_LIMIT,
    },
    ...content,
  });
}

function transport(id: AppId, code: string, masters: FactoryMasters): CardImage['transport'][string] {
  const { mck, mtk } = masters.apps[id];
  return {
    mck: diversify('des3', mck, code),
    mtk: diversify('des3', mtk, code),
    purse: APP_SHEETS[id].purse,
  };
}

/** A delivered instance: as newly installed, with the balance and counters asked for. */
function deliveredApplet(
  base: Pick<CardImage, 'transport' | 'keyWriteAtomic'>,
  id: AppId,
  spec: CardSpec,
): AppletState {
  const keys = base.transport[APP_SHEETS[id].packageAid];
  if (keys === undefined) return { kind: 'plain', data: {} };
  const applet = newFmcos(keys, base.keyWriteAtomic);
  const counter = spec.counters?.[id];
  if (counter !== undefined) for (const key of applet.keys) key.counter = counter;
  if (id === 'e-wallet' || id === 'transit') applet.balance = spec.balances?.[id] ?? 0;
  return applet;
}

function deliveredContent(
  base: Pick<CardImage, 'transport' | 'keyWriteAtomic'>,
  spec: CardSpec,
): Pick<CardImage, 'packages' | 'instances'> {
  const apps = spec.installed ?? APP_IDS.filter((id) => APP_SHEETS[id].installed);
  return {
    packages: apps.map((id) => ({
      aid: APP_SHEETS[id].packageAid,
      version: '0100',
      size: spec.packageBytes ?? PACKAGE_BYTES,
      modules: [APP_SHEETS[id].appletAid],
    })),
    instances: apps.map((id) => ({
      aid: APP_SHEETS[id].appletAid,
      package: APP_SHEETS[id].packageAid,
      module: APP_SHEETS[id].appletAid,
      privileges: '000000',
      lifecycle: 0x07,
      applet: deliveredApplet(base, id, spec),
    })),
  };
}
