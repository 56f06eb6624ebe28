/** The counter opens a card's history without knowing that screen: the shell gives it in here. */
import { createContext, type ReactNode } from 'react';

/** The screen for the card of this number, until it is closed. */
export type ShowHistory = (number: string, onClose: () => void) => ReactNode;

export const HistoryOf = createContext<ShowHistory>(() => null);
