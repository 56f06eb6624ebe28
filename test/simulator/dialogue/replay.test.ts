/** The card that answers exactly a recorded dialogue. */
import { describe, expect, it } from 'vitest';
import { recordedDevice } from '../../../app/simulator/dialogue/record.ts';
import { ReplayCard, ReplayError } from '../../../app/simulator/dialogue/replay.ts';
import { openVirtualReaders } from '../../../app/simulator/virtual-reader.ts';
import { card, isdKeys, openChannel, send } from '../card/host.ts';

describe('ReplayCard', () => {
  it('answers to the end, and says that it was the end', async () => {
    const replay = await replayed();
    expect(replay.isComplete).toBe(false);
    replay.reset();
    await send(replay, '00A4040000');
    expect((await send(replay, '805000000801020304050607FF00')).sw).toBe('6983');
    replay.powerOff();
    replay.powerOn();
    await expect(send(replay, '80CA004500')).rejects.toThrow('power lost');
    expect(replay.isComplete).toBe(true);
    expect(replay.failure).toBeUndefined();
  });

  it('lets readers reset and power as often as they like before the first command', async () => {
    const replay = ReplayCard.of(TEXT);
    replay.powerOn();
    replay.reset();
    replay.powerOff();
    replay.powerOn();
    expect((await send(replay, '00A4040000')).sw).toBe('9000');
  });

  it.each([
    ['another command', '80CA004500', 7, 'another command'],
    ['one byte more', '80CA9F7F0000', 7, '6 bytes in place of 5'],
    ['another Le', '80CA9F7F01', 7, 'differs at byte 4'],
  ])('%s: refused for good, with the line and without the bytes', async (_name, command, line, reason) => {
    const replay = ReplayCard.of(TEXT);
    replay.powerOn();
    await send(replay, '00A4040000');
    const error: unknown = await send(replay, command).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ReplayError);
    expect(String(error)).toContain(`line ${line}`);
    expect(String(error)).toContain(reason);
    expect(String(error)).not.toContain(command);
    await expect(send(replay, '80CA9F7F00')).rejects.toThrow(ReplayError);
    expect(replay.isComplete).toBe(false);
  });

  it('a reset in the middle of a session, and a missing one, are refused', async () => {
    const replay = ReplayCard.of(TEXT);
    replay.powerOn();
    await send(replay, '00A4040000');
    replay.reset();
    expect(replay.failure?.line).toBe(7);
    await expect(send(replay, '80CA9F7F00')).rejects.toThrow('in the middle');
    const other = await replayed();
    await expect(send(other, '00A4040000')).rejects.toThrow('after a reset only');
  });

  it('a masked trace plays: masked bytes of commands may be any, those of answers are 00', async () => {
    let text = '';
    const recording = recordedDevice(card(), (piece) => {
      text += piece;
    });
    recording.powerOn();
    const listed = await send(recording, '80CA004500');
    await send(recording, '80500000080102030405060708');
    const replay = ReplayCard.of(text);
    expect([replay.commands, replay.maskedAnswers]).toEqual([2, 1]);
    replay.powerOn();
    expect(await send(replay, '80CA004500')).toEqual(listed);
    const { data, sw } = await send(replay, '8050000008FFFFFFFFFFFFFFFF');
    expect(sw).toBe('9000');
    // Diversification data, key information and sequence counter are not masked; challenge and cryptogram are.
    expect(data).toMatch(/^0000[0-9A-F]{16}010370(?:00){16}000001$/);
    expect(replay.isComplete).toBe(true);
  });

  it('more than was recorded is refused', async () => {
    const replay = ReplayCard.of('kaika-dialogue 1\natr 3B00\n> 00A4040000\n< 9000\n');
    replay.powerOn();
    await send(replay, '00A4040000');
    expect(replay.isComplete).toBe(true);
    await expect(send(replay, '00A4040000')).rejects.toThrow('has ended');
  });

  it.each([
    ['> 00A40400 00\n< 9000 **[2]', 'cannot be given again'],
    ['> 00A40400 00\n> 80CA0045', 'has no answer'],
    ['> 00A40400 00', 'has no answer'],
    ['< 9000', 'an answer to no command'],
  ])('%j is no dialogue to replay', (steps, reason) => {
    expect(() => ReplayCard.of(`kaika-dialogue 1\natr 3B00\n${steps}\n`)).toThrow(reason);
  });

  it('gives a recorded session again: the same host with the same challenge sees the same card', async () => {
    let text = '';
    const device = card({ type: 'demo-scp02' });
    const recording = recordedDevice(
      device,
      (piece) => {
        text += piece;
      },
      { full: true },
    );
    const look = async (at: typeof recording): Promise<string[]> => {
      at.powerOn();
      const channel = await openChannel(at, isdKeys(card({ type: 'demo-scp02' }).image), { level: 0x03 });
      const answers = [await channel.send('80F24002024F0000'), await channel.send('80CA004500')];
      return answers.map(({ data, sw }) => data + sw);
    };
    const first = await look(recording);
    const replay = ReplayCard.of(text);
    expect(await look(replay)).toEqual(first);
    expect(replay.isComplete).toBe(true);
  });

  it('sits in a virtual reader as any card', async () => {
    const port = openVirtualReaders(['A']);
    const replay = ReplayCard.of(TEXT);
    port.insert('A', replay);
    const connection = await port.connect('A');
    expect(await connection.transmit(Uint8Array.of(0, 0xa4, 4, 0, 0))).toEqual(
      Uint8Array.of(0x6f, 0x00, 0x90, 0x00),
    );
    await expect(connection.transmit(Uint8Array.of(0, 0xa4, 4, 0, 0))).rejects.toMatchObject({
      fault: 'communication',
    });
    await connection.disconnect();
    await port.close();
  });
});

const TEXT = `kaika-dialogue 1
# a card that is looked at, reset, and torn
atr 3B85014B41494B41CD
! power on
> 00A40400 00
< 6F00 9000
> 80CA9F7F 00
< 6A88
! reset
> 00A40400 00
< 6F00 9000
> 80500000 08 **[8] 00
< 6983
! power off
! power on
> 80CA0045 00
! power lost
`;

async function replayed(): Promise<ReplayCard> {
  const replay = ReplayCard.of(TEXT);
  replay.powerOn();
  expect((await send(replay, '00A4040000')).data).toBe('6F00');
  expect((await send(replay, '80CA9F7F00')).sw).toBe('6A88');
  return replay;
}
