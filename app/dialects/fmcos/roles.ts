/** Roles of an application's two keys: the last word of a master's purpose, `app/<app>/<role>`. */
export const FMCOS_ROLES = { masterControl: 'mck', maintenance: 'mtk' } as const;
