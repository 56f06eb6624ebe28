/** Shop cards for the tests. */
import { fromHex } from '../../../app/card/bytes.ts';
import type { CardImage } from '../../../app/simulator/image.ts';
import { type ProfileName, SHOP_KEY } from '../../../app/simulator/profiles.ts';
import { type CardOrder, makeShopCard } from '../../../app/simulator/shop.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { CODE } from './fixtures.ts';
import { type Keys, openChannel } from './gp-host.ts';

export { openChannel };

export const DEFAULT_KEYS: Keys = {
  enc: fromHex(SHOP_KEY),
  mac: fromHex(SHOP_KEY),
  dek: fromHex(SHOP_KEY),
};

export function shopImage(profile: ProfileName = 'shop-scp03', order: Partial<CardOrder> = {}): CardImage {
  const image = makeShopCard({ identificationCode: CODE, ...order, profile });
  if (image.format !== 1) throw new TypeError('no GlobalPlatform');
  return image;
}

/** A card under power. */
export function shopCard(
  profile: ProfileName = 'shop-scp03',
  order: Partial<CardOrder> = {},
  change?: (image: CardImage) => void,
): VirtualCard {
  const image = shopImage(profile, order);
  change?.(image);
  const device = new VirtualCard(image);
  device.powerOn();
  return device;
}

/** A shop card and a session with its issuer's domain. */
export async function openedShopCard(
  profile: ProfileName = 'shop-scp03',
  options: Parameters<typeof openChannel>[2] = {},
  change?: (image: CardImage) => void,
) {
  const device = shopCard(profile, {}, change);
  return { device, channel: await openChannel(device, DEFAULT_KEYS, options) };
}

/** Key data field of PUT KEY: type, ciphertext with the key's length before it, check value. */
export function keyField(
  channel: { encryptKey(key: Buffer): Buffer },
  type: 0x80 | 0x88,
  key: Buffer,
  check: Buffer,
): Buffer {
  const cipher = channel.encryptKey(key);
  const value = type === 0x88 ? Buffer.concat([Buffer.of(key.length), cipher]) : cipher;
  return Buffer.concat([Buffer.of(type, value.length), value, Buffer.of(check.length), check]);
}
