/** What a card says of itself, for tests of the host's side. */
export {
  parseCardData,
  parseKeyDiversificationData,
  parseSequenceCounter,
} from '../../app/globalplatform/card-data.ts';
export { parseProductionLifeCycle } from '../../app/globalplatform/cplc.ts';
export { GpFormatError } from '../../app/globalplatform/errors.ts';
export { initializeUpdate, parseInitializeUpdate } from '../../app/globalplatform/initialize-update.ts';
export { parseKeyInformation } from '../../app/globalplatform/key-information.ts';
export { getStatus, parseStatus } from '../../app/globalplatform/status.ts';
