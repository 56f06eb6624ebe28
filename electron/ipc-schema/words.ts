/** The lists of plain words that the schema and the window share; here so that the window does not carry the schemas. */

export const THEMES = ['system', 'light', 'dark'] as const;
