export interface Electron {
  readonly path: string;
  readonly folder: string;
  readonly version: string | undefined;
  readonly kind: 'named' | 'official' | 'stand-in';
}
export function findElectron(environment?: Record<string, string | undefined>): Electron | undefined;
