/** Whether the server is there, and whether whoever is signed in here still is. */
import { KaikaError } from '../../protocol/errors.ts';
import type { ServerClient } from './client.ts';
import type { ServerLine } from './line.ts';

/**
 * Asks once; what it shows of the server is noted by the line. `token`: of whoever is signed in, now.
 * @throws KaikaError `session-expired` when the server says that they are not any more, and nobody else signed in meanwhile
 */
export async function signOfLife(
  line: ServerLine,
  server: Pick<ServerClient, 'currentSession'>,
  token: () => string | undefined,
): Promise<void> {
  const asked = token();
  let isOver = false;
  try {
    const { session } = await line.once(() => server.currentSession(asked));
    isOver = session === null && asked !== undefined && token() === asked;
  } catch (error) {
    // The line has noted it.
    if (!(error instanceof KaikaError)) throw error;
  }
  if (isOver) throw new KaikaError('session-expired', 'whoever was signed in is not any more');
}
