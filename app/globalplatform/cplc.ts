/** Card production life cycle data, GET DATA 9F7F: 42 bytes in fixed fields (GlobalPlatform Card Specification 2.0.1'). */
import { readObject } from './data-objects.ts';
import { GpFormatError } from './errors.ts';

const WHAT = 'card production life cycle data (9F7F)';

/** Every field as its bytes; dates are YDDD in BCD (last digit of the year, day of the year). */
interface ProductionLifeCycle {
  readonly icFabricator: Uint8Array;
  readonly icType: Uint8Array;
  readonly operatingSystemId: Uint8Array;
  readonly operatingSystemReleaseDate: Uint8Array;
  readonly operatingSystemReleaseLevel: Uint8Array;
  readonly icFabricationDate: Uint8Array;
  readonly icSerialNumber: Uint8Array;
  readonly icBatchIdentifier: Uint8Array;
  readonly icModuleFabricator: Uint8Array;
  readonly icModulePackagingDate: Uint8Array;
  readonly iccManufacturer: Uint8Array;
  readonly icEmbeddingDate: Uint8Array;
  readonly icPrePersonalizer: Uint8Array;
  readonly icPrePersonalizationDate: Uint8Array;
  readonly icPrePersonalizationEquipment: Uint8Array;
  readonly icPersonalizer: Uint8Array;
  readonly icPersonalizationDate: Uint8Array;
  readonly icPersonalizationEquipment: Uint8Array;
}

/**
 * Reads the answer, with or without its tag: some cards give the 42 bytes alone.
 * @throws GpFormatError
 */
export function parseProductionLifeCycle(data: Uint8Array): ProductionLifeCycle {
  const value = data.length === 42 ? data : readObject(data, 0x9f7f, WHAT);
  if (value.length !== 42) throw new GpFormatError(WHAT, 'of another length than 42', data.length);
  return {
    icFabricator: value.slice(0, 2),
    icType: value.slice(2, 4),
    operatingSystemId: value.slice(4, 6),
    operatingSystemReleaseDate: value.slice(6, 8),
    operatingSystemReleaseLevel: value.slice(8, 10),
    icFabricationDate: value.slice(10, 12),
    icSerialNumber: value.slice(12, 16),
    icBatchIdentifier: value.slice(16, 18),
    icModuleFabricator: value.slice(18, 20),
    icModulePackagingDate: value.slice(20, 22),
    iccManufacturer: value.slice(22, 24),
    icEmbeddingDate: value.slice(24, 26),
    icPrePersonalizer: value.slice(26, 28),
    icPrePersonalizationDate: value.slice(28, 30),
    icPrePersonalizationEquipment: value.slice(30, 34),
    icPersonalizer: value.slice(34, 36),
    icPersonalizationDate: value.slice(36, 38),
    icPersonalizationEquipment: value.slice(38, 42),
  };
}
