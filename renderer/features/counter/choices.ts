/** The counter's own store: what is ticked for the card in each reader. */
import { useStore } from 'zustand';
import { bridge, station } from '../../state/stores.ts';
import type { Choice } from './choice.ts';
import { createChoiceStore } from './choice-store.ts';

export const choices = createChoiceStore(bridge, () => station.sessionOver());

export function useChoice(reader: string): Choice | undefined {
  return useStore(choices, (all) => all[reader]);
}

/** For signing out: what one clerk ticked must not be started by the next one by mistake. */
export function forgetChoices(): void {
  choices.setState({}, true);
}
