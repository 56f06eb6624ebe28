/** The window in a plain browser: `?scene=` names a state, `lang` and `theme` its language and colours. For looking and for tests. */
import { config } from 'zod';
import { createBridge } from '../../electron/ipc-schema/bridge.ts';
import { THEMES } from '../../electron/ipc-schema/words.ts';
import { LANGUAGES } from '../texts/languages.ts';
import { createChangingWire } from './changing-wire.ts';
import { SCENES } from './scenes.ts';
import { createMockWire, type MockWire } from './wire.ts';

config({ jitless: true });

const asked = new URLSearchParams(location.search);
const settings = {
  language: LANGUAGES.find((one) => one === asked.get('lang')) ?? 'zh-CN',
  theme: THEMES.find((one) => one === asked.get('theme')) ?? 'light',
  sound: false,
};
/** A scene in which nothing happens by itself. */
const QUIET = 'empty';
const wire = createChangingWire(wireOf(asked.get('scene') ?? 'live'));
Object.defineProperty(window, 'kaika', { value: createBridge(wire) });
// In the live scene `counter.putIn()` and `counter.takeOut()` at the browser's console are the hands with the card.
Object.defineProperty(window, 'counter', { get: () => wire.now.counter });
// Every scene begins in an empty window: `await scenes.clear(); scenes.show('empty')`.
Object.defineProperty(window, 'scenes', { value: { clear, show } });
await import('../main.tsx');

/** Takes the scene away with all that the window remembers of it. @throws Error when something of it is still on the page */
async function clear(): Promise<void> {
  // Answers that are on their way belong to the former scene, and so does what it would still tell by itself.
  await wire.settled();
  wire.change(wireOf(QUIET));
  const { emptyWindow } = await import('./empty-window.ts');
  emptyWindow();
}

async function show(name: string): Promise<void> {
  wire.change(wireOf(name));
  const { station } = await import('../state/stores.ts');
  station.ask();
}

function wireOf(name: string): MockWire {
  const scene = SCENES[name];
  if (scene === undefined) throw new Error('no such scene');
  return createMockWire(scene, settings);
}
