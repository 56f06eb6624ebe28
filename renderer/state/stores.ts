/** The window's own stores, on the preload's bridge, and the hooks that screens use. */
import { useCallback, useMemo } from 'react';
import { useStore } from 'zustand';
import type { ErrorText } from '../../electron/ipc-schema/texts.ts';
import type { CardView, FaultView, StartView } from '../../electron/ipc-schema.ts';
import { type Texts, textsOf } from '../texts/texts.ts';
import type { Meter } from './meter.ts';
import { createStationStore, type StationState } from './station-store.ts';

export const bridge = window.kaika;
export const station = createStationStore(bridge, () => performance.now());

export function useStation<T>(pick: (state: StationState) => T): T {
  return useStore(station, pick);
}

/** The part of the view that a screen needs. Only used below App, which waits for the first snapshot. */
export function useView<T>(pick: (view: StartView) => T): T {
  return useStore(station, ({ view }) => {
    if (view === null) throw new Error('no snapshot yet');
    return pick(view);
  });
}

export function useMeter(job: string): Meter | undefined {
  return useStore(station, (state) => state.meters[job]);
}

/** The card of that number as it was last read. */
export function useSeenCard(number: string): CardView | undefined {
  return useStore(station, (state) => state.seen[number]);
}

export interface Words extends Omit<Texts, 'fault'> {
  /** An app's name in the language of the moment. */
  readonly app: (id: string) => string;
  readonly cardType: (id: string | null | undefined) => string;
  readonly fault: (fault: FaultView) => ErrorText;
}

/** Texts and names. */
export function useWords(): Words {
  const language = useStation((state) => state.view?.settings.language ?? 'zh-CN');
  const catalogue = useStation((state) => state.view?.catalogue);
  const texts = useMemo(() => textsOf(language), [language]);
  const app = useCallback(
    (id: string) =>
      catalogue?.apps.find((one) => one.id === id)?.name[language] ?? texts.t('state.unforeseen'),
    [catalogue, language, texts],
  );
  const cardType = useCallback(
    (id: string | null | undefined) =>
      catalogue?.cardTypes.find((one) => one.id === id)?.name[language] ?? texts.t('card.plain'),
    [catalogue, language, texts],
  );
  return useMemo(
    () => ({ ...texts, app, cardType, fault: (fault) => texts.fault(fault, app) }),
    [texts, app, cardType],
  );
}
