/** The window's program: stores on the preload's bridge, then the screens. */
import '@fontsource-variable/noto-sans-sc/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { wearSettings } from './state/appearance.ts';
import { watchServer } from './state/server-watch.ts';
import { soundAtEnd } from './state/sound.ts';
import { bridge, station } from './state/stores.ts';

wearSettings(station);
watchServer(bridge, station);
soundAtEnd(station);
station.open();

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
