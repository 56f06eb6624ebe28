/** What older knowledge is good for when newer knowledge was proven wrong. Pure. */
import { type CardState, withSlot } from '../issuer/card-state.ts';

/**
 * `now`, with the master control keys that the card refused replaced by those that it had before: a key that had to be right and was not
 * means that the record had forgotten something. Tries stay spent, so that the attempt with the other key counts like any.
 */
export function rescued(now: CardState, before: CardState): CardState {
  return Object.entries(now.apps).reduce((card, [app, { keys, instance }]) => {
    const older = before.apps[app];
    const fits = keys?.mck.refused === true && older?.keys != null && older.instance >= instance;
    if (!fits || older.keys === null) return card;
    const { candidates } = older.keys.mck;
    return withSlot(card, app, 'mck', (slot) => ({ ...slot, candidates, refused: false }));
  }, now);
}
