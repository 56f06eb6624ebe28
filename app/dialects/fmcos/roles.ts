/** Keys of an FMCOS app. */
export const FMCOS_ROLES = {
  /** Key 39: lets in, and carries every key write. */
  masterControl: 'mck',
  /** Key 36: MACs of file updates. */
  maintenance: 'mtk',
} as const;
export type FmcosRole = (typeof FMCOS_ROLES)[keyof typeof FMCOS_ROLES];

export const { masterControl: MCK, maintenance: MTK } = FMCOS_ROLES;
