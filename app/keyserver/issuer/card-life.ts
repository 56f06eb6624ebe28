/**
 * The life of a card, and what moves it from one state to the next. It is kept nowhere: `lifeOf` finds it from what is on record of the card,
 * by the same transitions. A state that jobs cannot reach yet (a card that was rejected, or replaced by another) begins as one more member of
 * `CardLife`; the compiler then names every place that has to know it. Pure.
 */
import type { CardTypeProfile } from '../../catalogue/schema.ts';
import { issuingOf } from '../../dialects/dialect.ts';
import type { SetAside } from '../../protocol/set-aside.ts';
import { type CardAppState, type CardState, isContested } from './card-state.ts';

/** `new`: no app is enabled under the issuer's keys. `issued`: one is. */
type Usable = { readonly life: 'new' } | { readonly life: 'issued' };

export type CardLife =
  | Usable
  /** No job may begin on it until a supervisor releases it; then it is what it would be `otherwise`. */
  | { readonly life: 'set-aside'; readonly reason: SetAside; readonly otherwise: Usable };

type LifeEvent =
  /** What is known of its apps: one of them is the issuer's, or none. */
  | { readonly kind: 'apps'; readonly issued: boolean }
  | { readonly kind: 'set-aside'; readonly reason: SetAside }
  | { readonly kind: 'released' };

const NEW_CARD: CardLife = { life: 'new' };

/** The card's life after `event`. Every event is possible in every state; one that says nothing new changes nothing. */
export function after(now: CardLife, event: LifeEvent): CardLife {
  switch (event.kind) {
    case 'apps': {
      const usable: Usable = { life: event.issued ? 'issued' : 'new' };
      return now.life === 'set-aside' ? { ...now, otherwise: usable } : usable;
    }
    case 'set-aside':
      // The first reason stays: what went wrong later may come of it.
      return now.life === 'set-aside' ? now : { life: 'set-aside', reason: event.reason, otherwise: now };
    case 'released':
      return now.life === 'set-aside' ? now.otherwise : now;
  }
}

/** Life of a card from what is on record of it. `profile`: of its type; undefined for a type that the program has no more. */
export function lifeOf(
  card: CardState,
  profile: CardTypeProfile | undefined,
  setAside: SetAside | null,
): CardLife {
  const issued = Object.entries(card.apps).some(([app, one]) => isIssuers(one, decidingRole(profile, app)));
  const known = after(NEW_CARD, { kind: 'apps', issued });
  return setAside === null ? known : after(known, { kind: 'set-aside', reason: setAside });
}

/** Why the card is set aside; null when it is not. */
export function reasonOf(life: CardLife): SetAside | null {
  return life.life === 'set-aside' ? life.reason : null;
}

/** Whether an app of the card is the issuer's; a card that is set aside may have one too. */
export function isIssued(life: CardLife): boolean {
  const usable = life.life === 'set-aside' ? life.otherwise : life;
  return usable.life === 'issued';
}

function decidingRole(profile: CardTypeProfile | undefined, app: string): string | undefined {
  const rule = profile !== undefined && Object.hasOwn(profile.apps, app) ? profile.apps[app] : undefined;
  return rule && issuingOf(rule).keys.issuedBy;
}

/** What a station said of an app and nothing proves makes no card the issuer's, and none that is not. Another life of the app is another matter. */
function isIssuers(app: CardAppState, role: string | undefined): boolean {
  const { kept } = app;
  return isOne(kept !== undefined && isContested(app) && kept.instance === app.instance ? kept : app, role);
}

/** Enabled under the issuer's key of the role that decides; under the issuer's keys only, where nobody says which does. */
function isOne({ state, keys }: Pick<CardAppState, 'state' | 'keys'>, role: string | undefined): boolean {
  if (state !== 'enabled' || keys === null) return false;
  const slots = role === undefined ? Object.values(keys) : [keys[role]];
  return slots.every((slot) => slot?.candidates.every(({ origin }) => origin === 'issuer') === true);
}
