/** Where the keyboard is in a lane. */

const FIELD = 'input:not([type="checkbox"])';
const TICK = 'input[type="checkbox"]';

/** A lane does not take the focus from another one, nor from a field somebody types into. */
export function mayTakeFocus(lane: HTMLElement): boolean {
  const active = document.activeElement;
  if (active === null || active === document.body) return true;
  return lane.contains(active) || active.closest('section')?.contains(lane) === true;
}

/** The account if it is asked for and empty, else the first tick; or the one named. */
export function focusFirst(form: HTMLElement | null, what?: 'account' | 'wishes'): void {
  const field = form?.querySelector<HTMLInputElement>(FIELD);
  const tick = form?.querySelector<HTMLInputElement>(TICK);
  const wanted =
    what === 'account' ? field : what === 'wishes' ? tick : field?.value === '' ? field : (tick ?? field);
  wanted?.focus();
}

/** To the next or previous tick; stays at the ends. */
export function moveFocus(form: HTMLElement, by: 1 | -1): void {
  const ticks = [...form.querySelectorAll<HTMLInputElement>(TICK)];
  const at = ticks.findIndex((tick) => tick.matches(':focus'));
  ticks[at + by]?.focus();
}
