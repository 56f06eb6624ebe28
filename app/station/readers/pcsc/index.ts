/** PC/SC: the reader port over the machine's smart card service. */
export { openPcsc, type PcscOptions } from './open.ts';
export { widenThreadPool } from './thread-pool.ts';
