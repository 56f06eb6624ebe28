/** Lists that both the schema and the window need. In a file without zod, or the schemas would be in the window's program too. */

export const THEMES = ['system', 'light', 'dark'] as const;
