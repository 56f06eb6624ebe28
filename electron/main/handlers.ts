/** Main's own calls. */
import { app, nativeTheme } from 'electron';
import { KaikaError } from '../../app/protocol/errors.ts';
import type { Handlers } from '../ipc-schema/calls.ts';
import type { CatalogueView, StationView } from '../ipc-schema.ts';
import type { EngineHost } from './engine-host.ts';
import type { Keeper } from './kept.ts';
import { isLanguage } from './languages.ts';
import type { Notifier } from './notifier.ts';

interface HandlerParts {
  readonly kept: Keeper;
  readonly notifier: Notifier;
  readonly engine: EngineHost;
  readonly catalogue: CatalogueView;
}

/** What is shown as long as no engine runs. */
const NOTHING: Omit<StationView, 'engine'> = {
  service: { kind: 'starting' },
  server: { state: 'unknown' },
  operator: null,
  readers: [],
  jobs: [],
};

export function mainHandlers({ kept, notifier, engine, catalogue }: HandlerParts): Handlers<'main'> {
  return {
    shell: {
      start: async () => {
        const station = (await engine.show()) ?? { ...NOTHING, engine: engine.state };
        // `at` is read after the engine's answer: changes told before that are in the snapshot and must not be applied again.
        return {
          version: app.getVersion(),
          settings: kept.value.settings,
          catalogue,
          station,
          at: notifier.at,
        };
      },
      changeSettings: (part) => {
        if (part.language !== undefined && !isLanguage(part.language)) throw new KaikaError('bad-request');
        const now = kept.value.settings;
        const settings = {
          language: part.language ?? now.language,
          theme: part.theme ?? now.theme,
          sound: part.sound ?? now.sound,
        };
        kept.change({ settings });
        nativeTheme.themeSource = settings.theme;
        notifier.tell({ kind: 'settings', settings });
        return settings;
      },
    },
  };
}
