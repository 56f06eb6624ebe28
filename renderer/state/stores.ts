/** The window's own stores, on the preload's bridge, and the hooks that screens use. */
import { useMemo } from 'react';
import { useStore } from 'zustand';
import { type ErrorText, HOUSE_LANGUAGE } from '../../app/texts/language.ts';
import type { CardView, FaultView, StartView } from '../../electron/ipc-schema.ts';
import { textsOf, type WindowTexts } from '../texts/texts.ts';
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

export interface Words extends Pick<WindowTexts, 't' | 'list' | 'language'> {
  /** An app's name in the language of the moment. */
  readonly app: (id: string) => string;
  readonly cardType: (id: string | null | undefined) => string;
  readonly fault: (fault: FaultView) => ErrorText;
}

/** Texts and names. */
export function useWords(): Words {
  const language = useStation((state) => state.view?.settings.language ?? HOUSE_LANGUAGE);
  const catalogue = useStation((state) => state.view?.catalogue);
  const texts = useMemo(() => textsOf(language), [language]);
  return useMemo(() => {
    const app = (id: string) => {
      const known = catalogue?.apps.find((one) => one.id === id);
      return known === undefined ? texts.t('state.unforeseen') : texts.named(known.name);
    };
    const cardType = (id: string | null | undefined) => {
      const known = catalogue?.cardTypes.find((one) => one.id === id);
      return known === undefined ? texts.t('card.plain') : texts.named(known.name);
    };
    return { ...texts, app, cardType, fault: ({ code, details }) => texts.error(code, details, app) };
  }, [texts, catalogue]);
}
