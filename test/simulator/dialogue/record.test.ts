/** Recording: what people read, and what they do not. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseDialogue } from '../../../app/simulator/dialogue/dialogue.ts';
import { recordedDevice } from '../../../app/simulator/dialogue/record.ts';
import { tracedToFile } from '../../../app/simulator/dialogue/trace-file.ts';
import { sharedFolder } from '../../support/folders.ts';
import { install, installForLoad, loadBlocks, sendAll } from '../card/content-host.ts';
import { CODE, capFile, card, isdKeys, MASTERS, WALLET } from '../card/fixtures.ts';
import { authenticate, cardKey, record, update, writeKey } from '../card/fmcos-host.ts';
import { aesEcb, keyField, type Opened, openChannel, send, shopCard, TearingDevice } from '../card/host.ts';

const folder = sharedFolder('dialogue');

describe('a recording', () => {
  it('names commands and status words, and tells lengths', async () => {
    const { recording, text } = recorded();
    recording.powerOn();
    await send(recording, '00A4040000');
    await send(recording, '80CA9F7F00');
    await send(recording, '80CA123400');
    recording.reset();
    await send(recording, '80E80005020102');
    await send(recording, '8012');
    expect(text().split('\n')).toEqual([
      'kaika-dialogue 1',
      '# of a test',
      '# ** is a byte that is not shown',
      'atr 3B85014B41494B41CD',
      '! power on',
      expect.stringMatching(/^> 00A40400 00 +; SELECT the issuer security domain, Le 256$/),
      expect.stringMatching(/^< 6F41[0-9A-F]+ 9000 +; ok, 67 bytes$/),
      expect.stringMatching(/^> 80CA9F7F 00 +; GET DATA production life cycle, Le 256$/),
      expect.stringMatching(/^< 9F7F2A[0-9A-F]+ 9000 +; ok, 45 bytes$/),
      expect.stringMatching(/^> 80CA1234 00 +; GET DATA 1234, Le 256$/),
      expect.stringMatching(/^< 6A88 +; referenced data not found$/),
      '! reset',
      expect.stringMatching(/^> 80E80005 02 0102 +; LOAD, block 5, 2 bytes$/),
      expect.stringMatching(/^< 6982 +; security status not satisfied$/),
      expect.stringMatching(/^> 8012 +; no command$/),
      expect.stringMatching(/^< 6700 +; wrong length$/),
      '',
    ]);
  });

  it('masks keys, cryptograms, parameters and personal data', async () => {
    const { recording, text } = recorded();
    await job(recording);
    const lines = text().split('\n');
    const line = (name: string) => lines.filter((one) => one.includes(name));
    for (const one of line('PUT KEY')) expect(one).toMatch(/^> 84D80001 [0-9A-F]{2} \*\*\[\d+\] +;/);
    for (const one of line('WRITE KEY')) expect(one).toMatch(/^> 84D43600 1C \*\*\[28\] +;/);
    for (const one of line('EXTERNAL AUTHENTICATE')) expect(one).toMatch(/^> \S+ (?:10|08) \*\*\[\d+\] +;/);
    for (const one of line('STORE DATA')) expect(one).toMatch(/^> 84E29000 0E \*\*\[14\] +;/);
    for (const one of line('UPDATE BINARY')) expect(one).toMatch(/^> 04D6950A 0E \*\*\[14\] +;/);
    const [begin = ''] = line('INITIALIZE UPDATE');
    expect(begin).toMatch(/^> 80500000 08 \*\*\[8\] 00 +;/);
    const answer = lines[lines.indexOf(begin) + 1] ?? '';
    expect(answer).toMatch(/^< 00006200123456789012010370 \*\*\[16\] 000001 9000 +; ok, 32 bytes$/);
    const read = line('READ BINARY')[0] ?? '';
    expect(lines[lines.indexOf(read) + 1]).toMatch(/^< \*\*\[30\] 9000 +;/);
    const [installing = ''] = line('INSTALL [for install and make selectable]');
    expect(installing).toMatch(/^> 84E60C00 [0-9A-F]{2} 07D2760000850100\S+ \*\*\[\d+\] 00 +;/);
    // None of it anywhere, in clear or enciphered; what was loaded is there whole.
    expect(text()).not.toMatch(/DEADBEEF|9876543210|A1B2C3D4/i);
    expect(line('LOAD, block')).toHaveLength(3);
    expect(line('LOAD, block')[1]).toContain('A5'.repeat(100));
  });

  it('masks what it does not know, and what GET RESPONSE fetches as its command’s answer', async () => {
    let text = '';
    const device = shopCard('sim-scp02-15');
    const recording = recordedDevice(device, (piece) => {
      text += piece;
    });
    await send(recording, '00200001083132333435363738');
    await send(recording, '80500000080102030405060708');
    await send(recording, '00C000001C');
    expect(text).toContain('> 00200001 08 **[8]');
    expect(text).toMatch(/< 0000620012345678901220020000 \*\*\[14\] 9000/);
    expect(text).not.toContain('3132');
  });

  it('shows all of it when told so, and warns', async () => {
    const { recording, text } = recorded(true);
    await job(recording);
    expect(text()).not.toContain('**');
    expect(text()).toContain('everything is shown');
    expect(parseDialogue(text()).steps.length).toBeGreaterThan(20);
  });

  it('tells when power was lost', async () => {
    let text = '';
    const torn = new TearingDevice(card(), { at: 2, when: 'after' });
    const recording = recordedDevice(torn, (piece) => {
      text += piece;
    });
    await send(recording, '00A4040000');
    await expect(send(recording, '80CA004500')).rejects.toThrow();
    expect(text).toMatch(/> 80CA0045 00 +; GET DATA card image number, Le 256\n! power lost\n$/);
  });

  it('cannot be led astray by a remark with a line end', () => {
    let text = '';
    recordedDevice(card(), (piece) => (text += piece), { remarks: ['a\n> 00A40400'] });
    expect(parseDialogue(text).steps).toEqual([]);
  });
});

describe('a trace file', () => {
  it('is its owner’s alone, grows line by line, and goes on at its end', async () => {
    const path = join(folder, 'trace.txt');
    for (let round = 0; round < 2; round += 1) {
      const device = tracedToFile(card(), { path });
      await send(device, '00A4040000');
      expect(readFileSync(path, 'utf8')).toMatch(/; ok, 67 bytes\n$/);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(parseDialogue(readFileSync(path, 'utf8')).steps).toHaveLength(4);
  });

  it('that cannot be opened is said at once', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => tracedToFile(card(), { path: join(folder, 'file', 'trace.txt') })).toThrow('ENOTDIR');
  });

  it('a full disk ends the trace, not the card', async () => {
    const device = tracedToFile(card(), { path: '/dev/full' });
    expect((await send(device, '00A4040000')).sw).toBe('9000');
    expect((await send(device, '80CA004500')).sw).toBe('9000');
  });
});

const MCK = cardKey(MASTERS.apps['e-wallet'].mck, CODE);

const NEW_KEY = Buffer.from('A1B2C3D4E5F60718293A4B5C6D7E8F90', 'hex');

const PACKAGE = 'D2760000850100';

function recorded(full = false) {
  let text = '';
  const device = card();
  const recording = recordedDevice(
    device,
    (piece) => {
      text += piece;
    },
    { full, remarks: ['of a test'] },
  );
  return { device, recording, text: () => text };
}

/** A job with every kind of secret in it. */
async function job(recording: ReturnType<typeof recorded>['recording'], keys = isdKeys(card().image)) {
  recording.powerOn();
  const channel: Opened = await openChannel(recording, keys);
  const field = keyField(channel, 0x88, NEW_KEY, aesEcb(NEW_KEY, Buffer.alloc(16, 1)).subarray(0, 3));
  const data = Buffer.concat([Buffer.of(0x40), field]);
  const put = Buffer.concat([Buffer.of(0x80, 0xd8, 0x00, 0x01, data.length), data]).toString('hex');
  expect((await channel.send(put)).sw).toBe('9000');
  await channel.send('80E290000642041234ABCD');
  const steps = [installForLoad(PACKAGE), ...loadBlocks(capFile(PACKAGE, ['D276000085010001'], 450))];
  await sendAll(channel, [...steps, install(0x0c, PACKAGE, 'D276000085010001', '', '00', 'C904DEADBEEF')]);
  await send(recording, `00A4040009${WALLET}00`);
  await authenticate(recording, MCK);
  await writeKey(recording, MCK, 0x36, record(0xf6, NEW_KEY));
  await update(recording, NEW_KEY, 10, '00000000009876543210');
  await send(recording, '00B095001E');
}
