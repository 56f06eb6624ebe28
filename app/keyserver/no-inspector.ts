/**
 * SIGUSR1 opens Node's inspector in a running process, and through it any program of the same user has everything that the server has. A handler
 * of ours takes the signal's place. Where we start the server it is started with --disable-sigusr1 too, which covers the moments before this.
 */
export function refuseInspector(): void {
  // Windows has no such signal.
  if (process.platform !== 'win32') process.on('SIGUSR1', () => undefined);
}
