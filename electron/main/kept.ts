/** What the window keeps for the installation: settings, where it was, how large. Checked when read; a damaged file counts as none. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { type Settings, settingsSchema } from '../ipc-schema.ts';
import { isLanguage } from './languages.ts';

/** Factors that Ctrl with + and - go through; 200 % is what WCAG 1.4.4 asks for. */
export const ZOOMS = [0.75, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;

const pixels = z.number().int().min(-100_000).max(100_000);
const keptSchema = z.strictObject({
  settings: settingsSchema,
  window: z
    .strictObject({ x: pixels, y: pixels, width: pixels, height: pixels, maximized: z.boolean() })
    .optional(),
  zoom: z.number().min(ZOOMS[0]).max(2),
});
type Kept = z.infer<typeof keptSchema>;

export interface Keeper {
  readonly value: Kept;
  change(part: Partial<Kept>): void;
}

/** `language`: what the system speaks, for the first start. */
export function openKept(file: string, language: Settings['language']): Keeper {
  let value = read(file) ?? { settings: { language, theme: 'system', sound: true }, zoom: 1 };
  // The language may have been kept by a version that had more of them.
  if (!isLanguage(value.settings.language)) value = { ...value, settings: { ...value.settings, language } };
  return {
    get value() {
      return value;
    },
    change: (part) => {
      value = { ...value, ...part };
      try {
        writeFileSync(`${file}.next`, JSON.stringify(value), { mode: 0o600 });
        renameSync(`${file}.next`, file);
      } catch {
        // Most likely the disk is full. The change counts until the program ends, and is then forgotten.
      }
    },
  };
}

function read(file: string): Kept | undefined {
  try {
    return keptSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
