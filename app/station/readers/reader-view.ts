/** What staff see of a reader: its own state, and the work that has to do with it. Pure. */
import type { ReaderView, ReaderViewState } from '../views.ts';
import type { WorkSource } from './work.ts';

export function readerView(
  name: string,
  shown: ReaderViewState,
  work: Pick<WorkSource, 'waitingIn' | 'inHandFor'>,
): ReaderView {
  const waiting = work.waitingIn(name);
  if (shown.kind === 'empty' && waiting !== undefined) {
    return { name, state: { kind: 'empty', waiting: waiting.id } };
  }
  if (shown.kind !== 'card') return { name, state: shown };
  const { identification } = shown.look;
  const inHand = identification === null ? undefined : work.inHandFor(identification);
  const other = waiting !== undefined && waiting !== inHand ? { otherCard: waiting.id } : {};
  const mine = inHand === undefined ? {} : { jobInHand: inHand.id };
  return { name, state: { kind: 'card', look: shown.look, ...mine, ...other } };
}
