/** What tests of the virtual card have: cards of both families, and a host in front of them that shares no code with the product's. */
export { PowerLost } from '../../../app/simulator/device.ts';
export type { CardImage } from '../../../app/simulator/image.ts';
export { TearingDevice } from '../../../app/simulator/tear.ts';
export { VirtualCard } from '../../../app/simulator/virtual-card.ts';
export { install, installForLoad, loadBlocks, remove, sendAll } from './content-host.ts';
export {
  CODE,
  capFile,
  card,
  hex,
  image,
  isdKeys,
  MASTERS,
  MEAL,
  MEAL_PACKAGE,
  WALLET,
} from './fixtures.ts';
export { authenticate, cardKey, challenge, record, update, writeKey } from './fmcos-host.ts';
export { type Answer, type Keys, type Opened, openChannel, send } from './gp-host.ts';
export { DEFAULT_KEYS, keyField, openedShopCard, shopCard, shopImage } from './shop-fixtures.ts';
export { aesEcb, cmac, tdesEcb } from './test-crypto.ts';
