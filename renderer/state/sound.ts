/** The sound at the end of a job: two soft notes, upwards when it went well, downwards when it did not. */
import { newlyEnded } from './jobs.ts';
import type { StationStore } from './station-store.ts';

const WELL = [659.26, 880];
const NOT_WELL = [440, 329.63];
const NOTE_SECONDS = 0.14;

/** Gives the function that ends it. */
export function soundAtEnd(station: StationStore): () => void {
  let context: AudioContext | undefined;
  return station.subscribe((state, before) => {
    if (state.view?.settings.sound !== true || before.view === null) return;
    const ended = newlyEnded(before.view.station.jobs, state.view.station.jobs);
    const first = ended[0];
    if (first === undefined) return;
    context ??= new AudioContext();
    play(context, ended.every((one) => one.well) ? WELL : NOT_WELL);
  });
}

function play(context: AudioContext, notes: readonly number[]): void {
  for (const [at, frequency] of notes.entries()) {
    const from = context.currentTime + at * NOTE_SECONDS;
    const tone = new OscillatorNode(context, { frequency, type: 'sine' });
    const gain = new GainNode(context, { gain: 0 });
    // A soft beginning and a long end: no click, no alarm.
    gain.gain.setValueAtTime(0, from);
    gain.gain.linearRampToValueAtTime(0.18, from + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.001, from + 3 * NOTE_SECONDS);
    tone.connect(gain).connect(context.destination);
    tone.start(from);
    tone.stop(from + 3 * NOTE_SECONDS);
  }
}
