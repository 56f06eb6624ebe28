/**
 * SIGUSR1 opens Node's inspector in any process that takes it, and through the inspector the process does whatever one likes. Whoever may send
 * the signal is the same user and may do much besides, but not so easily, and not by mistake.
 */
export function refuseInspector(): void {
  // Listening takes the signal away from the inspector. Windows knows no such signal.
  process.on('SIGUSR1', () => undefined);
}
