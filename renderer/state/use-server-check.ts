/** Asking the server for a sign of life because somebody pressed a button. */
import { useState } from 'react';
import { bridge, station } from './stores.ts';

interface ServerCheck {
  /** The answer is still out: the button is held meanwhile. */
  readonly asking: boolean;
  /** What comes of it is shown by the station's view, which the engine changes. */
  readonly ask: () => void;
}

export function useServerCheck(): ServerCheck {
  const [asking, setAsking] = useState(false);
  const ask = async () => {
    setAsking(true);
    const answer = await bridge.server.check({});
    if (!answer.ok && answer.code === 'session-expired') station.sessionOver();
    setAsking(false);
  };
  return { asking, ask: () => void ask() };
}
