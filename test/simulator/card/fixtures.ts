/** Cards and load files for the tests. */
import { fromHex, toHex } from '../../../app/card/bytes.ts';
import { type CardSpec, type FactoryMasters, makeCard } from '../../../app/simulator/factory.ts';
import type { CardImage } from '../../../app/simulator/image.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';

const key = (digit: number) => digit.toString(16).padStart(2, '0').repeat(16);

export const MASTERS: FactoryMasters = {
  isd: { enc: key(0x11), mac: key(0x22), dek: key(0x33) },
  apps: {
    'e-wallet': { mck: `${'41'.repeat(8)}${'42'.repeat(8)}`, mtk: `${'51'.repeat(8)}${'52'.repeat(8)}` },
    identity: { mck: `${'43'.repeat(8)}${'44'.repeat(8)}`, mtk: `${'53'.repeat(8)}${'54'.repeat(8)}` },
    'campus-meal': { mck: `${'45'.repeat(8)}${'46'.repeat(8)}`, mtk: `${'55'.repeat(8)}${'56'.repeat(8)}` },
    transit: { mck: `${'47'.repeat(8)}${'48'.repeat(8)}`, mtk: `${'57'.repeat(8)}${'58'.repeat(8)}` },
  },
};

export const CODE = '6200123456789012';
export const WALLET = 'F04B41494B41010001';
export const MEAL_PACKAGE = 'F04B41494B410300';
export const MEAL = 'F04B41494B41030001';

export function image(spec: Partial<CardSpec> = {}): CardImage {
  return makeCard({ type: 'demo-scp03', identificationCode: CODE, ...spec }, MASTERS);
}

/** A card under power. */
export function card(spec: Partial<CardSpec> = {}, change?: (image: CardImage) => void): VirtualCard {
  const fresh = image(spec);
  change?.(fresh);
  const device = new VirtualCard(fresh);
  device.powerOn();
  return device;
}

/** Static ISD keys as the card holds them. */
export function isdKeys(of: CardImage): { enc: Uint8Array; mac: Uint8Array; dek: Uint8Array } {
  const [enc = '', mac = '', dek = ''] = of.domain.keySets[0]?.keys.map(({ value }) => value) ?? [];
  return { enc: fromHex(enc), mac: fromHex(mac), dek: fromHex(dek) };
}

/**
 * A package whole enough to be linked (Java Card VM specification §6.4 to §6.12): no import, the applets, and `codeBytes` of methods. `spoil` gets
 * the components by tag, contents in hexadecimal, and gives back what is to be loaded in their place.
 */
export function capFile(
  packageAid: string,
  applets: readonly string[],
  codeBytes = 500,
  spoil: (components: Map<number, string>) => void = () => undefined,
): Uint8Array {
  const lv = (aid: string) => (aid.length / 2).toString(16).padStart(2, '0') + aid;
  const list = applets.map((aid) => `${lv(aid)}0010`).join('');
  const count = applets.length.toString(16).padStart(2, '0');
  const components = new Map<number, string>([
    [1, `DECAFFED01020400${'01'}${lv(packageAid)}`],
    [2, ''],
    [4, '00'],
    [3, count + list],
    [6, ''],
    [7, 'A5'.repeat(codeBytes)],
    [8, '00'.repeat(10)],
    [5, '0000'],
    [9, '00000000'],
  ]);
  const size = (tag: number) => (tag === 2 ? 31 : (components.get(tag) ?? '').length / 2);
  const sizes = Array.from({ length: 11 }, (_, i) =>
    size(i + 1)
      .toString(16)
      .padStart(4, '0'),
  );
  components.set(2, `${sizes.join('')}${'00'.repeat(6)}00${count}00`);
  spoil(components);
  const bytes = [...components].map(
    ([tag, content]) =>
      tag.toString(16).padStart(2, '0') + (content.length / 2).toString(16).padStart(4, '0') + content,
  );
  return fromHex(bytes.join(''));
}

export function hex(text: string): Uint8Array {
  return fromHex(text);
}

/** Status word of an answer as text. */
export function sw(answer: Uint8Array): string {
  return toHex(answer.slice(-2));
}
