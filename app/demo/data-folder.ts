/** Where Kaika keeps a user's data, by the custom of each system. */
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** `KAIKA_DATA` names another folder. What is empty or relative in XDG_DATA_HOME counts as not set, as its specification says. */
export function dataFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform = process.platform,
): string {
  const named = environment['KAIKA_DATA'];
  if (named !== undefined && named !== '') return resolve(named);
  switch (platform) {
    case 'win32':
      return join(environment['LOCALAPPDATA'] ?? join(home(), 'AppData', 'Local'), 'Kaika');
    case 'darwin':
      return join(home(), 'Library', 'Application Support', 'Kaika');
    default: {
      const data = environment['XDG_DATA_HOME'] ?? '';
      return join(isAbsolute(data) ? data : join(home(), '.local', 'share'), 'kaika');
    }
  }
}

/** @throws Error in a sentence where nobody says whose home it is */
function home(): string {
  const home = homedir() || userInfo().homedir;
  if (!isAbsolute(home))
    throw new Error('There is no home folder to keep data in: name a folder in KAIKA_DATA.');
  return home;
}
