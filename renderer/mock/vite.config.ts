/** The mock page, for looking at the window in a plain browser: `vite --config renderer/mock/vite.config.ts`. */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [react()],
  build: { target: 'chrome114', assetsInlineLimit: 0, modulePreload: false, emptyOutDir: true },
});
