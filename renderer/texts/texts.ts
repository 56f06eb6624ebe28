/** Every word on the screen, in the language of the moment. */

import { type ErrorText, errorText, type Locale } from '../../electron/ipc-schema/texts.ts';
import type { FaultView, Settings } from '../../electron/ipc-schema.ts';
import en from '../../resources/locales/en.json';
import zh from '../../resources/locales/zh-CN.json';

export type TextKey = keyof typeof zh.ui & keyof typeof en.ui;
export type TextValues = Readonly<Record<string, string | number>>;

const FILES = { 'zh-CN': zh, en } as const;

export interface Texts {
  readonly locale: Locale;
  /** A text with its {values} filled in. */
  readonly t: (key: TextKey, values?: TextValues) => string;
  /** An error's text; `name` turns an app's id into its name. */
  readonly fault: (fault: FaultView, name: (app: string) => string) => ErrorText;
}

export function textsOf(language: Settings['language']): Texts {
  const file = FILES[language];
  return {
    locale: language,
    t: (key, values = {}) => fill(file.ui[key], values),
    fault: ({ code, details }, name) => errorText(file, language, code, details, name),
  };
}

function fill(text: string, values: TextValues): string {
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
}
