/** What tests of the screens show: the mock's values, its scenes, and the wire to it. */
export { SCENES, type Scene } from '../../renderer/mock/scenes.ts';
export {
  ACCOUNT,
  CATALOGUE,
  card,
  FOREIGN,
  HISTORY,
  job,
  MOMENT,
  NUMBER,
  ODD,
  READER,
  reader,
  station,
  USED,
} from '../../renderer/mock/values.ts';
export { createMockWire } from '../../renderer/mock/wire.ts';
