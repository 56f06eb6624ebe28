/** Where Kaika keeps a user's data, by the custom of each system. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `KAIKA_DATA` names another folder. */
export function dataFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): string {
  const named = environment['KAIKA_DATA'];
  if (named !== undefined && named !== '') return named;
  switch (platform) {
    case 'win32':
      return join(environment['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Kaika');
    case 'darwin':
      return join(homedir(), 'Library', 'Application Support', 'Kaika');
    default:
      return join(environment['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'kaika');
  }
}
