/** A native FMCOS card: files and keys by SELECT, no load, no delete, no security domain. */
import { type CommandApdu, decodeCommand, type ResponseApdu } from '../../card/apdu.ts';
import { fromHex, toHex } from '../../card/bytes.ts';
import { writeTlv } from '../../card/tlv.ts';
import { processFmcos } from '../applets/fmcos.ts';
import { type CardOptions, type CardProgram, type CardTurn, PoweredCard } from '../powered-card.ts';
import { ok, Refusal, SW } from '../status-words.ts';
import type { FmcosVolatile } from '../turn.ts';
import type { Directory, NativeImage } from './native-image.ts';

const MASTER_FILE = '3F00';
const INS_SELECT = 0xa4;
/** P1 of SELECT. */
const BY = { fileId: 0x00, elementaryFile: 0x02, parent: 0x03, name: 0x04 } as const;

interface NativeVolatile {
  /** File id of the current directory. */
  current: string;
  fmcos: FmcosVolatile;
}

type NativeTurn = CardTurn<NativeImage, NativeVolatile>;

const NATIVE: CardProgram<NativeImage, NativeVolatile> = {
  fresh: (image) => ({ current: image.directories[0]?.fileId ?? MASTER_FILE, fmcos: { state: 0 } }),
  forget: (volatile) => {
    volatile.fmcos = { state: 0 };
  },
  process: processNative,
};

/** A native card in memory. Power is off until `powerOn`. */
export class NativeCard extends PoweredCard<NativeImage, NativeVolatile> {
  constructor(image: NativeImage, options: CardOptions<NativeImage> = {}) {
    super(NATIVE, image, options);
  }
}

function processNative(turn: NativeTurn, bytes: Uint8Array): ResponseApdu {
  try {
    const command = decode(turn, bytes);
    return command.ins === INS_SELECT && command.cla === 0x00
      ? select(turn, command)
      : toDirectory(turn, command);
  } catch (error) {
    if (error instanceof Refusal) return { ...ok(), sw: error.sw };
    throw error;
  }
}

/** Short APDUs only. @throws Refusal 6700 when the lengths do not add up */
function decode(turn: NativeTurn, bytes: Uint8Array): CommandApdu {
  try {
    if (bytes.length > 5 && bytes[4] === 0) throw new RangeError('extended length');
    return decodeCommand(bytes);
  } catch {
    turn.volatile.fmcos.challenge = undefined;
    throw new Refusal(SW.wrongLength);
  }
}

function toDirectory(turn: NativeTurn, command: CommandApdu): ResponseApdu {
  const { fileId, state } = directoryOf(turn, turn.volatile.current);
  return processFmcos(
    {
      state,
      volatile: turn.volatile.fmcos,
      random: turn.random,
      onTear(damage) {
        turn.tear = (image) => {
          const torn = image.directories.find((directory) => directory.fileId === fileId);
          if (torn !== undefined) damage(torn.state);
        };
      },
    },
    command,
  );
}

/** SELECT: the master file, an application by file id or name, or a file of the current directory. */
function select(turn: NativeTurn, command: CommandApdu): ResponseApdu {
  const { volatile } = turn;
  volatile.fmcos.challenge = undefined;
  if (command.p2 !== 0x00) throw new Refusal(SW.wrongP1P2);
  const wanted = toHex(command.data ?? new Uint8Array(0));
  switch (command.p1) {
    case BY.name:
      if (wanted.length === 0) throw new Refusal(SW.wrongLength);
      return enter(
        turn,
        turn.image.directories.find(({ name }) => name.startsWith(wanted)),
      );
    case BY.parent:
      if (wanted.length > 0) throw new Refusal(SW.wrongLength);
      return enter(turn, turn.image.directories[0]);
    case BY.fileId:
    case BY.elementaryFile:
      break;
    default:
      throw new Refusal(SW.wrongP1P2);
  }
  if (wanted.length === 0 && command.p1 === BY.fileId) return enter(turn, turn.image.directories[0]);
  if (wanted.length !== 4) throw new Refusal(SW.wrongLength);
  const directory = turn.image.directories.find(({ fileId }) => fileId === wanted);
  if (directory !== undefined && command.p1 === BY.fileId) return enter(turn, directory);
  return selectFile(turn, wanted);
}

/** A directory becomes the current one: its security state begins at 0. */
function enter(turn: NativeTurn, directory: Directory | undefined): ResponseApdu {
  if (directory === undefined) throw new Refusal(SW.notFound);
  turn.volatile.current = directory.fileId;
  turn.volatile.fmcos = { state: 0 };
  const [file] = directory.state.files;
  const proprietary = file === undefined ? new Uint8Array(0) : writeTlv(0x88, Uint8Array.of(file.shortId));
  return ok(writeTlv(0x6f, writeTlv(0x84, fromHex(directory.name)), writeTlv(0xa5, proprietary)));
}

/** A file of the current directory, by its short id in two bytes. Later commands that name no file mean this one. */
function selectFile(turn: NativeTurn, fileId: string): ResponseApdu {
  const { state } = directoryOf(turn, turn.volatile.current);
  const file = state.files.find(({ shortId }) => shortId === Number.parseInt(fileId, 16));
  if (file === undefined) throw new Refusal(SW.notFound);
  turn.volatile.fmcos.file = file.shortId;
  return ok();
}

function directoryOf({ image }: NativeTurn, fileId: string): Directory {
  const directory = image.directories.find((known) => known.fileId === fileId);
  if (directory === undefined) throw new Refusal(SW.conditions);
  return directory;
}
