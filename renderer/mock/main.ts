/** The window in a plain browser: `?scene=` names a state, `lang` and `theme` its language and colours. For looking and for tests. */
import { config } from 'zod';
import { createBridge } from '../../electron/ipc-schema/bridge.ts';
import { THEMES } from '../../electron/ipc-schema/words.ts';
import { LANGUAGES } from '../texts/languages.ts';
import { SCENES } from './scenes.ts';
import { createMockWire } from './wire.ts';

config({ jitless: true });

const asked = new URLSearchParams(location.search);
const scene = SCENES[asked.get('scene') ?? 'live'];
if (scene === undefined) throw new Error('no such scene');
const settings = {
  language: LANGUAGES.find((one) => one === asked.get('lang')) ?? 'zh-CN',
  theme: THEMES.find((one) => one === asked.get('theme')) ?? 'light',
  sound: false,
};
const wire = createMockWire(scene, settings);
Object.defineProperty(window, 'kaika', { value: createBridge(wire) });
// In the live scene `counter.putIn()` and `counter.takeOut()` at the browser's console are the hands with the card.
Object.defineProperty(window, 'counter', { value: wire.counter });
await import('../main.tsx');
