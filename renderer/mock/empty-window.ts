/** The window as it is before it has asked for anything: nothing on the page, nothing remembered. */
import { flushSync } from 'react-dom';
import { forgetChoices } from '../features/counter/choices.ts';
import { station } from '../state/stores.ts';

/** @throws Error when something is left on the page: the next scene would not be shown as a clerk meets it */
export function emptyWindow(): void {
  // Without a view no screen is shown, so that none of their parts keeps what was typed, opened or ticked in it.
  flushSync(() => station.setState(station.getInitialState(), true));
  forgetChoices();
  scrollTo(0, 0);
  const left = [...document.body.querySelectorAll(':scope > :not(#root, script), #root > *')];
  if (left.length > 0) throw new Error(`still on the page: ${left.map((one) => one.outerHTML).join(', ')}`);
}
