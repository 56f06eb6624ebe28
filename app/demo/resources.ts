/** Catalogue and texts as the demo's station reads them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Catalogue } from '../catalogue/schema.ts';
import { catalogueIn } from '../station/catalogue-folder.ts';
import { type Locale, type Messages, messagesSchema } from '../station/messages.ts';

export const RESOURCES = fileURLToPath(new URL('../../resources/', import.meta.url));

export function loadCatalogue(): Catalogue {
  return catalogueIn(RESOURCES);
}

export function loadMessages(locale: Locale): Messages {
  return messagesSchema.parse(JSON.parse(readFileSync(join(RESOURCES, 'locales', `${locale}.json`), 'utf8')));
}

/** The language of the terminal, as POSIX systems and Windows say it. */
export function terminalLocale(environment: NodeJS.ProcessEnv = process.env): Locale {
  const named = environment['LC_ALL'] || environment['LC_MESSAGES'] || environment['LANG'] || '';
  const language = named === '' ? Intl.DateTimeFormat().resolvedOptions().locale : named;
  return language.startsWith('zh') ? 'zh-CN' : 'en';
}
