/** Cards as they were last read, as long as a reader or a job has to do with them. Pure. */
import type { CardView, StationView } from '../../electron/ipc-schema.ts';

type SeenCards = Readonly<Record<string, CardView>>;

export function seenCards(before: SeenCards, { readers, jobs }: StationView): SeenCards {
  const now: Record<string, CardView> = {};
  for (const { card } of jobs) {
    const known = before[card];
    if (known !== undefined) now[card] = known;
  }
  for (const { state } of readers) {
    const card = state.kind === 'card' || state.kind === 'job' ? state.card : null;
    if (card !== null && card.number !== null) now[card.number] = card;
  }
  // A reader that reads, or has just been given a job, names no card for a moment. Without this the picture would lose its kind.
  for (const [number, card] of Object.entries(before)) {
    if (readers.some(({ state }) => state.kind === 'job' || state.kind === 'looking')) now[number] ??= card;
  }
  return now;
}
