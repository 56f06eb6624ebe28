/** Language and theme, on the document itself. */
import type { Settings } from '../../electron/ipc-schema.ts';
import { textsOf } from '../texts/texts.ts';
import type { StationStore } from './station-store.ts';

/** Keeps the document as the settings say. Gives the function that ends it. */
export function wearSettings(station: StationStore): () => void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const wear = () => {
    const settings = station.getState().view?.settings;
    const root = document.documentElement;
    root.dataset['theme'] = themeOf(settings?.theme ?? 'system', dark.matches);
    if (settings === undefined) return;
    root.lang = settings.language;
    document.title = textsOf(settings.language).t('app.name');
  };
  wear();
  dark.addEventListener('change', wear);
  const stop = station.subscribe((state, before) => {
    if (state.view?.settings !== before.view?.settings) wear();
  });
  return () => {
    dark.removeEventListener('change', wear);
    stop();
  };
}

function themeOf(theme: Settings['theme'], systemIsDark: boolean): 'light' | 'dark' {
  if (theme === 'system') return systemIsDark ? 'dark' : 'light';
  return theme;
}
