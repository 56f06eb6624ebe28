/** What the window has beside the DOM: the preload's bridge, and CSS as the bundler gives it. */
interface Window {
  readonly kaika: import('../electron/ipc-schema/bridge.ts').Bridge;
}

declare module '*.module.css' {
  const classes: Readonly<Record<string, string>>;
  export default classes;
}

declare module '*.css';
