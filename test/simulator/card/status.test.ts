/** GET STATUS and SET STATUS. */
import { describe, expect, it } from 'vitest';
import { installForLoad } from './content-host.ts';
import { capFile, card, install, isdKeys, loadBlocks, openChannel, send, sendAll, WALLET } from './host.ts';

describe('GET STATUS', () => {
  it.each([
    ['80F28002024F0000', 'E31C4F08A0000001510000009F70010FC5039EFE80'.replace('E31C', 'E314')],
    ['80F28000024F0000', '08A0000001510000000F9E'],
    [
      '80F24000074F05F04B41494B00',
      '09F04B41494B41010001070009F04B41494B41020001070009F04B41494B410400010700',
    ],
    ['80F220000A4F08F04B41494B41010000', '08F04B41494B4101000100'],
    ['80F210000A4F08F04B41494B41010000', '08F04B41494B41010001000109F04B41494B41010001'],
    [
      '80F240020B4F09F04B41494B4101000100',
      'E32C4F09F04B41494B410100019F700107C503000000C408F04B41494B410100CC08A000000151000000',
    ],
    [
      '80F210020A4F08F04B41494B41010000',
      'E32C4F08F04B41494B4101009F700101CE0201008409F04B41494B41010001CC08A000000151000000',
    ],
  ])('%s', async (command, expected) => {
    const { channel } = await opened();
    const { data, sw } = await channel.send(command);
    expect(sw).toBe('9000');
    expect(data.replace(/^E3../, 'E3')).toBe(expected.replace(/^E3../, 'E3'));
  });

  it('6A88 when there is none, 6A80 without a criterion, 6A86 for a wrong subset', async () => {
    const { channel } = await opened({ installed: [] });
    expect((await channel.send('80F24002024F0000')).sw).toBe('6A88');
    expect((await channel.send('80F22000024F0000')).sw).toBe('6A88');
    expect((await channel.send('80F240020250 0000')).sw).toBe('6A80');
    expect((await channel.send('80F20002024F0000')).sw).toBe('6A86');
    expect((await channel.send('80F24003024F0000')).sw).toBe('6985');
  });

  it('gives a long list in parts', async () => {
    const { device, channel } = await opened({}, 0x33);
    await channel.send(installForLoad(OTHER));
    await sendAll(channel, loadBlocks(capFile(OTHER, [OTHER_APPLET])));
    const extra = Array.from({ length: 9 }, (_, i) => `D2760000850102${i.toString(16).padStart(2, '0')}`);
    for (const aid of extra) await channel.send(install(0x0c, OTHER, OTHER_APPLET, aid));
    const parts: string[] = [];
    let answer = await channel.send('80F24002024F0000');
    while (answer.sw === '6310') {
      parts.push(answer.data);
      answer = await channel.send('80F24003024F0000');
    }
    expect(answer.sw).toBe('9000');
    parts.push(answer.data);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(part).toMatch(/^E3/);
    const aids = [...parts.join('').matchAll(/4F0[89]((?:[0-9A-F]{2}){8,9})9F70/g)].map((match) => match[1]);
    expect(aids).toEqual([...device.image.instances.map(({ aid }) => aid)]);
    await channel.send('80F24002024F0000');
    await channel.send('80CA004500');
    expect((await channel.send('80F24003024F0000')).sw).toBe('6985');
  });
});

describe('SET STATUS', () => {
  it('locks and unlocks an application', async () => {
    const { device, channel } = await opened();
    expect((await channel.send(`80F0408009${WALLET}`)).sw).toBe('9000');
    expect((await send(device, `00A4040009${WALLET}00`)).sw).toBe('6A82');
    expect((await channel.send(`80F0400009${WALLET}`)).sw).toBe('9000');
    expect((await send(device, `00A4040009${WALLET}00`)).sw).toBe('9000');
  });

  it('moves the card from OP_READY to SECURED and never back', async () => {
    const device = card({}, (image) => {
      image.domain.lifecycle = 0x01;
    });
    const channel = await openChannel(device, isdKeys(device.image));
    expect((await channel.send('80F0800F00')).sw).toBe('9000');
    expect((await channel.send('80F0800700')).sw).toBe('6A80');
    expect((await channel.send('80F0807F00')).sw).toBe('9000');
    expect((await send(device, '00A4040000')).sw).toBe('6283');
    expect((await send(device, `00A4040009${WALLET}00`)).sw).toBe('6A81');
  });
});

const OTHER = 'D2760000850100';

const OTHER_APPLET = 'D276000085010001';

async function opened(spec: Parameters<typeof card>[0] = {}, level = 0x01) {
  const device = card(spec);
  return { device, channel: await openChannel(device, isdKeys(device.image), { level }) };
}
