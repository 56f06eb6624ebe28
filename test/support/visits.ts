/** A card's visit to a station, for tests of jobs: who is there, what is carried between card and server, and where it breaks off. */
export { type CardDevice, PowerLost } from '../../app/simulator/device.ts';
export { TearingDevice } from '../../app/simulator/tear.ts';
export { VirtualCard } from '../../app/simulator/virtual-card.ts';
export {
  CALLER,
  carry,
  confirmationOf,
  ENABLE,
  issue,
  OTHER_CALLER,
  request,
  runBatch,
  transmit,
  unconfirmed,
} from './forwarder.ts';
export { advance, slotOnCard, triesLeft, WALLET } from './issuer-steps.ts';
export { loseStation } from './lost-station.ts';
export { meddled, spoiled } from './meddled.ts';
