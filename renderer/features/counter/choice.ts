/** What a clerk is about to ask for one card: ticks, deletions, account. Pure; nothing of it has happened yet. */
import type { CardHistory, FaultView, PlanView, Wish, WishView } from '../../../electron/ipc-schema.ts';
import type { AppRow } from './rows.ts';

/** What the server knows of the card. `new`: nothing yet. `unconfirmed`: it could not be asked. */
export type RecordView =
  | { readonly kind: 'asking' }
  | { readonly kind: 'new' }
  | { readonly kind: 'known'; readonly history: CardHistory }
  | { readonly kind: 'unconfirmed'; readonly fault: FaultView };

export interface Choice {
  /** The card's number. */
  readonly card: string;
  readonly account: string;
  /** What was missing when Next was pressed: an account of the right length, or any wish. */
  readonly missing: 'account' | 'wishes' | null;
  readonly wishes: Readonly<Record<string, WishView['action']>>;
  readonly record: RecordView;
  /** Shown for a last look before the start. */
  readonly plan: PlanView | null;
  /** A request is under way. */
  readonly busy: boolean;
  readonly fault: FaultView | null;
}

export function emptyChoice(card: string): Choice {
  return {
    card,
    account: '',
    missing: null,
    wishes: {},
    record: { kind: 'asking' },
    plan: null,
    busy: false,
    fault: null,
  };
}

/** Ticks an app, or takes the tick away. */
export function toggled(choice: Choice, app: string, action: WishView['action']): Choice {
  const { [app]: before, ...others } = choice.wishes;
  const wishes = before === action ? others : { ...others, [app]: action };
  return { ...choice, wishes, missing: null, plan: null, fault: null };
}

/** What is typed stays as it is typed: nothing is dropped and nothing cut, because money is bound to the number. */
export function withAccount(choice: Choice, account: string): Choice {
  return { ...choice, account, missing: null, plan: null, fault: null };
}

const FEWEST_DIGITS = 8;
const MOST_DIGITS = 20;

/** The account the job is for: the server's where it knows the card, else what was typed. Undefined when it is not one. */
export function accountOf(choice: Choice): string | undefined {
  const bound = boundAccount(choice);
  return bound ?? typedAccount(choice.account);
}

/**
 * A number may be typed or pasted in groups, with spaces or hyphens between them, and in the wide digits of an East Asian keyboard. With anything
 * else in it, it is none: a spreadsheet's 6.22E+18 has lost digits already, and what is left of a number without its odd signs is another number.
 */
function typedAccount(typed: string): string | undefined {
  // Only the wide forms: NFKC alone would also make a digit of ② and of ².
  const plain = typed.replace(/[\uFF10-\uFF19\uFF0D]/g, (wide) => wide.normalize('NFKC')).trim();
  if (!/^[0-9]+(?:[\s\u002D\u2010-\u2015]+[0-9]+)*$/.test(plain)) return undefined;
  const digits = plain.replace(/[^0-9]/g, '');
  return digits.length >= FEWEST_DIGITS && digits.length <= MOST_DIGITS ? digits : undefined;
}

/** The account that the server has for the card. */
export function boundAccount(choice: Choice): string | undefined {
  if (choice.record.kind !== 'known' || choice.record.history.account === '') return undefined;
  return choice.record.history.account;
}

/** In the order of the list: what is enabled first, then what is deleted. */
export function wishesOf(choice: Choice, rows: readonly AppRow[]): WishView[] {
  const of = (action: WishView['action']) =>
    rows.filter((row) => choice.wishes[row.app.id] === action).map((row) => ({ app: row.app.id, action }));
  return [...of('enable'), ...of('delete')];
}

/** Puts the second person's handles, one an app, into the wishes that need them. */
export function confirmedWishes(wishes: readonly WishView[], handles: ReadonlyMap<string, string>): Wish[] {
  return wishes.map((wish) => {
    const handle = handles.get(wish.app);
    return handle === undefined || wish.action !== 'delete' ? wish : { ...wish, confirmedBy: handle };
  });
}

/** Why the card may not be issued at all any more; null when it may, or nobody knows yet. */
export function setAsideOf(choice: Choice): FaultView | null {
  const details = choice.record.kind === 'known' ? choice.record.history.setAside : null;
  return details === null ? null : { code: 'card-set-aside', details };
}
