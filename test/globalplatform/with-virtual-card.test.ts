/** The host's channels with the virtual card, which shares no code with them: every option i, every level, every case of command. */
import { describe, expect, it } from 'vitest';
import { predictScp02CardChallenge } from '../../app/globalplatform/session-keys.ts';
import { makeCard } from '../../app/simulator/factory.ts';
import { VirtualCard } from '../../app/simulator/virtual-card.ts';
import { getStatus, initializeUpdate, parseInitializeUpdate, parseStatus } from './answers.ts';
import { deriveSessionKeys, openChannel, predictCardChallenge } from './channels.ts';
import type { CommandApdu } from './commands.ts';
import { decodeResponse, deleteObject, encodeCommand, fromHex, select, toAid, toHex } from './commands.ts';

describe('a session with the virtual card', () => {
  it.each(CASES)('SCP%s, i = %i, level %i', async (scp, i, level) => {
    const { send, channel } = await session(scp, i, level);
    expect((await send(channel.externalAuthenticate())).sw).toBe(0x9000);
    const run = async (command: CommandApdu) => channel.unwrap(await send(channel.wrap(command)));
    // Case 4 with an answer; case 2; case 4 refused, with its R-MAC in SCP02 and without in SCP03; case 3 refused.
    const status = await run(getStatus('issuer-security-domain'));
    expect(status.sw).toBe(0x9000);
    expect(parseStatus('issuer-security-domain', 'tlv', status.data)[0]?.aid).toBe(ISD);
    const data = await run({ cla: 0x80, ins: 0xca, p1: 0x00, p2: 0x45, le: 256 });
    expect([toHex(data.data), data.sw]).toEqual(['45081234567890123456', 0x9000]);
    expect((await run(deleteObject(toAid('F000000001'), false))).sw).toBe(0x6a88);
    const { le: _le, ...case3 } = deleteObject(toAid('F000000001'), false);
    expect((await run(case3)).sw).toBe(0x6a88);
    // Case 1: no instruction 00 is known; the answer still belongs to the session where the protocol protects it.
    expect((await run({ cla: 0x80, ins: 0x00, p1: 0, p2: 0 })).sw).toBeGreaterThanOrEqual(0x6800);
    expect((await run(getStatus('load-files'))).sw).toBe(0x9000);
  });

  it('challenges are foretold where i says so, from the counter that the answer carries', async () => {
    for (const i of [0x45, 0x55, 0x65, 0x75]) {
      const two = await session('02', i, 0x01);
      if (two.response.scp !== '02') throw new Error('not SCP02');
      const { mac } = deriveSessionKeys(two.keys, two.response);
      expect(predictScp02CardChallenge(mac, ISD)).toEqual(two.response.cardChallenge);
    }
    const three = await session('03', 0x70, 0x01);
    if (three.response.scp !== '03' || three.response.sequenceCounter === undefined)
      throw new Error('not SCP03');
    const { sequenceCounter, cardChallenge } = three.response;
    expect(predictCardChallenge(three.keys.enc, sequenceCounter, ISD)).toEqual(cardChallenge);
  });
});

const ISD = toAid('A000000151000000');
const SCP02_LEVELS = { plain: [0x00, 0x01, 0x03], answers: [0x10, 0x11, 0x13] };

const OFFERS: readonly (readonly ['02' | '03', number, readonly number[]])[] = [
  ['02', 0x05, SCP02_LEVELS.plain],
  ['02', 0x15, SCP02_LEVELS.plain],
  ['02', 0x25, [...SCP02_LEVELS.plain, ...SCP02_LEVELS.answers]],
  ['02', 0x35, [...SCP02_LEVELS.plain, ...SCP02_LEVELS.answers]],
  ['02', 0x45, SCP02_LEVELS.plain],
  ['02', 0x55, SCP02_LEVELS.plain],
  ['02', 0x65, [...SCP02_LEVELS.plain, ...SCP02_LEVELS.answers]],
  ['02', 0x75, [...SCP02_LEVELS.plain, ...SCP02_LEVELS.answers]],
  ['03', 0x00, [0x00, 0x01, 0x03]],
  ['03', 0x10, [0x00, 0x01, 0x03]],
  ['03', 0x20, [0x00, 0x01, 0x03, 0x11, 0x13]],
  ['03', 0x30, [0x00, 0x01, 0x03, 0x11, 0x13]],
  ['03', 0x60, [0x00, 0x01, 0x03, 0x11, 0x13, 0x33]],
  ['03', 0x70, [0x00, 0x01, 0x03, 0x11, 0x13, 0x33]],
];

const CASES = OFFERS.flatMap(([scp, i, levels]) => levels.map((level) => [scp, i, level] as const));

const KEY = '00112233445566778899AABBCCDDEEFF';

const masters = {
  isd: { enc: KEY, mac: KEY, dek: KEY },
  apps: {
    'e-wallet': { mck: KEY, mtk: KEY },
    identity: { mck: KEY, mtk: KEY },
    'campus-meal': { mck: KEY, mtk: KEY },
    transit: { mck: KEY, mtk: KEY },
  },
};

async function session(scp: '02' | '03', i: number, level: number) {
  const type = scp === '02' ? 'demo-scp02' : 'demo-scp03';
  const image = makeCard({ type, identificationCode: '1234567890123456', protocolOption: i }, masters);
  const card = new VirtualCard(image);
  card.powerOn();
  const send = async (bytes: Uint8Array) => decodeResponse(await card.transmit(bytes));
  await send(encodeCommand(select()));
  const hostChallenge = fromHex('0102030405060708');
  const response = parseInitializeUpdate(
    (await send(encodeCommand(initializeUpdate(0x00, hostChallenge)))).data,
  );
  const value = (id: number) =>
    fromHex(image.domain.keySets[0]?.keys.find((key) => key.id === id)?.value ?? '');
  const keys = { enc: value(1), mac: value(2), dek: value(3) };
  const channel = await openChannel(
    { scp, i, securityLevel: level, hostChallenge, response },
    { sessionKeys: (context) => Promise.resolve(deriveSessionKeys(keys, context)) },
  );
  return { card, send, channel, response, keys };
}
