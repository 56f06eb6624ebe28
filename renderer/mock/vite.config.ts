/**
 * The mock page, for looking at the window in a plain browser; from the repository's folder:
 * `node node_modules/vite/bin/vite.js --config renderer/mock/vite.config.ts`, then `/?scene=choose-new&lang=en&theme=dark`.
 */
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'renderer/mock',
  base: './',
  plugins: [react()],
  build: { target: 'chrome130', cssTarget: 'chrome130', assetsInlineLimit: 0, modulePreload: false },
});
