/** Asks the server for a sign of life every now and then: that it is away, or back, is then known before a customer waits. */
import type { Bridge } from '../../electron/ipc-schema/bridge.ts';
import type { StationStore } from './station-store.ts';

/** Milliseconds between two signs of life, while it is there and while it is not. */
const WHILE_UP = 60_000;
const WHILE_AWAY = 10_000;

/** Gives the function that ends it. */
export function watchServer(bridge: Bridge, station: StationStore): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  let asked = false;
  const next = () => {
    if (ended) return;
    const away = station.getState().view?.station.server.state === 'away';
    clearTimeout(timer);
    timer = setTimeout(ask, away ? WHILE_AWAY : WHILE_UP);
  };
  const ask = () => {
    asked = true;
    void bridge.server.check({}).then((answer) => {
      if (!answer.ok && answer.code === 'session-expired') station.sessionOver();
      next();
    });
  };
  const stop = station.subscribe((state, before) => {
    if (!asked && state.view?.station.engine.kind === 'running') ask();
    const now = state.view?.station.server.state;
    if (now === before.view?.station.server.state || !asked) return;
    // A new engine begins with `unknown`: asked at once, or the screen would say so for a minute.
    if (now === 'unknown' && state.view?.station.engine.kind === 'running') ask();
    else next();
  });
  return () => {
    ended = true;
    clearTimeout(timer);
    stop();
  };
}
