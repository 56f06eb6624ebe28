/** The list of a card's apps: what each is, and what may be asked of it. Pure. */
import type {
  CardApp,
  CardTypeView,
  CardView,
  CatalogueApp,
  CatalogueView,
} from '../../../electron/ipc-schema.ts';

type AppStateView = CardApp['state'];

export interface AppRow {
  readonly app: CatalogueApp;
  readonly state: AppStateView;
  /** In the smallest unit of money. */
  readonly balance?: number;
  /** Whether it can be enabled now; `whyNot` says what stands against it. */
  readonly canEnable: boolean;
  readonly whyNot?: 'nothing-to-load' | 'card-takes-none';
  readonly canDelete: boolean;
}

/** One row for each app of the card. An app that is not in the catalogue has no name to show, and is left out. */
export function rowsOf(card: CardView, catalogue: CatalogueView): AppRow[] {
  const type = catalogue.cardTypes.find((one) => one.id === card.type);
  return card.apps.flatMap((seen): AppRow[] => {
    const app = catalogue.apps.find((one) => one.id === seen.app);
    return app === undefined ? [] : [rowOf(app, seen, type)];
  });
}

function rowOf(app: CatalogueApp, seen: CardApp, type: CardTypeView | undefined): AppRow {
  const managed = type?.managed === true;
  const row = {
    app,
    state: seen.state,
    ...(seen.balance === undefined ? {} : { balance: seen.balance }),
    canDelete: managed && (seen.state === 'enabled' || seen.state === 'installed'),
  };
  if (seen.state === 'installed') return { ...row, canEnable: true };
  if (seen.state !== 'missing') return { ...row, canEnable: false };
  if (!managed) return { ...row, canEnable: false, whyNot: 'card-takes-none' };
  if (!app.loadable) return { ...row, canEnable: false, whyNot: 'nothing-to-load' };
  return { ...row, canEnable: true };
}

/** The same apps on a card that may not be touched: shown, nothing offered. */
export function shownOnly(rows: readonly AppRow[]): AppRow[] {
  return rows.map((row) => ({ ...row, canEnable: false, canDelete: false }));
}

/** Memory of a card as a bar: what the known apps take, and what is left. Null where the card does not say. */
export function memoryOf(
  card: CardView,
  catalogue: CatalogueView,
): { readonly free: number; readonly whole: number } | null {
  if (card.freeMemory === null) return null;
  const used = card.apps
    .filter((seen) => seen.state !== 'missing')
    .reduce((sum, seen) => sum + (catalogue.apps.find((app) => app.id === seen.app)?.size ?? 0), 0);
  return { free: card.freeMemory, whole: card.freeMemory + used };
}
