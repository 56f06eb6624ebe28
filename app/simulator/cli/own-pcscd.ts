/** A card in a pcscd of our own, off the machine's network. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Rig, RigError, type RigErrorCode, startRig } from '../rig/index.ts';
import { dialogueLeft, type Place, PlaceError, stopped, traceRemark } from './place.ts';

const REASONS: Partial<Readonly<Record<RigErrorCode, string>>> = {
  'not-linux': '--pcscd works on Linux only: start a pcscd with vpcd yourself and leave it out.',
  'pcscd-missing': 'pcscd is not installed; on Debian: apt install pcscd vsmartcard-vpcd.',
  'driver-missing': 'The driver of vpcd is not installed; on Debian: apt install vsmartcard-vpcd.',
  'tools-missing': 'unshare, mount or ip is not installed; on Debian: apt install util-linux mount iproute2.',
  'no-rights': 'This container may not make namespaces, which a pcscd of our own needs.',
  'no-user-namespaces': 'A pcscd of our own needs root, user namespaces or a sudo that asks for no password.',
};

/**
 * Starts pcscd, puts the card in and says how clients find it; takes everything down again when it is to stop.
 * @throws PlaceError
 */
export async function inOwnPcscd(place: Place): Promise<void> {
  const { say, stop } = place;
  const folder = await mkdtemp(join(tmpdir(), 'kaika-card-'));
  // Clients may be other users; they must reach the socket, not list the folder.
  await chmod(folder, 0o711);
  try {
    const { opener } = place.card;
    const cards = opener === undefined ? {} : { cards: opener };
    const rig = await startRig({ folder, readers: 1, ...cards }).catch((error: unknown) => {
      throw sentence(error);
    });
    const left = new Promise<string>((resolve) => {
      rig.subscribe(({ reason }) => reason !== undefined && resolve(reason));
    });
    try {
      await insert(rig, folder, place);
      say(`The card is in the reader "${rig.readerNames[0] ?? ''}". Clients find it with`);
      say(`export PCSCLITE_CSOCK_NAME=${rig.socketPath}`);
      say('Ctrl-C takes it out.');
      const reason = await Promise.race([left, stopped(stop)]);
      if (reason !== undefined) throw dialogueLeft(reason);
    } finally {
      await rig.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function insert(rig: Rig, folder: string, place: Place): Promise<void> {
  const { card, options } = place;
  const file = await card.fileIn(folder);
  const { latency, trace, traceFull } = options;
  const recorded =
    trace === undefined
      ? {}
      : { trace: { path: resolve(trace), full: traceFull, remark: traceRemark(place) } };
  await rig.insert(0, file, { latency, untilNoticed: true, ...recorded }).catch((error: unknown) => {
    throw sentence(error);
  });
}

function sentence(error: unknown): Error {
  if (!(error instanceof RigError))
    return error instanceof Error ? error : new PlaceError('pcscd did not start.');
  return new PlaceError(REASONS[error.code] ?? `pcscd did not start: ${error.message}.`);
}
