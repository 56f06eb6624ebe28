/**
 * What of loading a package is our code's time and what the card's: the virtual card without added latency, so that nothing
 * else takes any. The whole way: CAP file read, channel opened, every command wrapped in one go, every answer checked.
 */

import { toAid } from '../../app/card/aid.ts';
import { type CommandApdu, decodeResponse, encodeCommand } from '../../app/card/apdu.ts';
import { fromHex } from '../../app/card/bytes.ts';
import { readCapFile } from '../../app/globalplatform/cap-file.ts';
import { deleteObject, select } from '../../app/globalplatform/commands.ts';
import { initializeUpdate, parseInitializeUpdate } from '../../app/globalplatform/initialize-update.ts';
import { installForLoad, loadParameters } from '../../app/globalplatform/install.ts';
import { loadCommands } from '../../app/globalplatform/load.ts';
import { openChannel } from '../../app/globalplatform/secure-channel.ts';
import { makeCard } from '../../app/simulator/factory.ts';
import { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { archive, smallPackage } from '../globalplatform/cap-archive.ts';
import { deriveSessionKeys } from '../support/globalplatform/static-session-keys.ts';

const ROUNDS = 12;
/** The first rounds warm the machine up and do not count. */
const WARM_UP = 3;
const SIZES = [20 * 1024, 60 * 1024];
const KEY = '00112233445566778899AABBCCDDEEFF';
const MASTERS = {
  isd: { enc: KEY, mac: KEY, dek: KEY },
  apps: {
    'e-wallet': { mck: KEY, mtk: KEY },
    identity: { mck: KEY, mtk: KEY },
    'campus-meal': { mck: KEY, mtk: KEY },
    transit: { mck: KEY, mtk: KEY },
  },
};

/** 60 KB fit 256 blocks with C-MAC only. */
const CHANNELS = [
  {
    name: 'SCP03 i=70, C-MAC',
    type: 'demo-scp03',
    scp: '03',
    i: 0x70,
    level: 0x01,
    largest: Number.POSITIVE_INFINITY,
  },
  {
    name: 'SCP03 i=70, C-MAC and C-DECRYPTION',
    type: 'demo-scp03',
    scp: '03',
    i: 0x70,
    level: 0x03,
    largest: 61_000,
  },
  { name: 'SCP03 i=70, everything', type: 'demo-scp03', scp: '03', i: 0x70, level: 0x33, largest: 61_000 },
  {
    name: 'SCP02 i=55, C-MAC',
    type: 'demo-scp02',
    scp: '02',
    i: 0x55,
    level: 0x01,
    largest: Number.POSITIVE_INFINITY,
  },
  {
    name: 'SCP02 i=55, C-MAC and C-DECRYPTION',
    type: 'demo-scp02',
    scp: '02',
    i: 0x55,
    level: 0x03,
    largest: 61_000,
  },
] as const;
type Channel = (typeof CHANNELS)[number];

interface Figures {
  /** Milliseconds of a whole load. */
  ours: number;
  card: number;
  blocks: number;
  apdus: number;
  bytes: number;
}

export async function run(): Promise<unknown> {
  const loads = [];
  for (const channel of CHANNELS) {
    for (const size of SIZES.filter((one) => one <= channel.largest)) {
      const cap = archive(smallPackage(size - 90));
      const rounds: Figures[] = [];
      for (let round = 0; round < ROUNDS; round += 1) rounds.push(await loadOnce(channel, cap));
      const counted = rounds.slice(WARM_UP);
      const ours = median(counted.map((one) => one.ours));
      const card = median(counted.map((one) => one.card));
      const { blocks = 0, apdus = 0, bytes = 0 } = counted[0] ?? {};
      const share = round3(ours / (ours + card));
      const perBlock = round3((ours + card) / blocks);
      console.log(
        `${channel.name}, ${size / 1024} KB: ${blocks} blocks, ${apdus} APDUs, ${bytes} bytes; ` +
          `${perBlock} ms a block, of it ${round3(ours / blocks)} ms ours (${Math.round(100 * share)} %)`,
      );
      loads.push({ channel: channel.name, size, blocks, apdus, bytes, perBlock, ours: share });
    }
  }
  return { loads, ours: Math.max(...loads.map((load) => load.ours)) };
}

async function loadOnce(channel: Channel, archiveBytes: Uint8Array): Promise<Figures> {
  const image = makeCard(
    { type: channel.type, identificationCode: '1234567890123456', installed: [] },
    MASTERS,
  );
  const card = new VirtualCard(image);
  card.powerOn();
  const figures: Figures = { ours: 0, card: 0, blocks: 0, apdus: 0, bytes: 0 };
  const send = async (bytes: Uint8Array) => {
    const began = performance.now();
    const answer = await card.transmit(bytes);
    figures.card += performance.now() - began;
    figures.apdus += 1;
    figures.bytes += bytes.length;
    return decodeResponse(answer);
  };
  const value = (id: number) =>
    fromHex(image.domain.keySets[0]?.keys.find((key) => key.id === id)?.value ?? '');
  const keys = { enc: value(1), mac: value(2), dek: value(3) };

  const began = performance.now();
  const cap = readCapFile(archiveBytes);
  const { bytes: loadFile } = cap.loadFile();
  await send(encodeCommand(select()));
  const hostChallenge = fromHex('0102030405060708');
  const response = parseInitializeUpdate(
    (await send(encodeCommand(initializeUpdate(0, hostChallenge)))).data,
  );
  const { scp, i, level: securityLevel } = channel;
  const session = await openChannel(
    { scp, i, securityLevel, hostChallenge, response },
    { sessionKeys: (context) => Promise.resolve(deriveSessionKeys(keys, context)) },
  );
  accepted((await send(session.externalAuthenticate())).sw, [0x9000]);
  const packageAid = toAid(cap.package.aid);
  const blocks = loadCommands(loadFile, session.maximumBlockSize);
  const commands: CommandApdu[] = [
    deleteObject(packageAid, false),
    installForLoad({ packageAid, parameters: loadParameters(loadFile.length) }),
    ...blocks,
  ];
  const wrapped = commands.map((command) => session.wrap(command));
  for (const [at, bytes] of wrapped.entries())
    accepted(session.unwrap(await send(bytes)).sw, at === 0 ? [0x9000, 0x6a88] : [0x9000]);
  session.close();
  figures.blocks = blocks.length;
  figures.ours = performance.now() - began - figures.card;
  return figures;
}

function accepted(sw: number, acceptable: readonly number[]): void {
  if (!acceptable.includes(sw)) throw new Error(`the card answered ${sw.toString(16)}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function round3(value: number): number {
  return Math.round(1000 * value) / 1000;
}
