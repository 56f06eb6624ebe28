/** `npm run card` in the reader of a vpcd that runs already, and what it says to those who ask in vain. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex } from '../../../app/card/bytes.ts';
import { usage } from '../../../app/simulator/cli/options.ts';
import { PROFILES } from '../../../app/simulator/profiles.ts';
import { endedCard, type RunningCard, startCard } from '../../support/running-card.ts';
import { listenAsVpcd, type VpcdPeer } from '../../support/vpcd-peer.ts';
import { openChannel, send } from '../card/host.ts';

let folder = '';
let vpcd: VpcdPeer;
let card: RunningCard | undefined;
beforeEach(listen);
afterEach(close);

describe('a card in a running vpcd', () => {
  it('says what it is, is there until Ctrl-C, and ends as Ctrl-C does', async () => {
    const reader = await put('--profile', 'shop-scp03');
    expect(card?.said).toContain(
      'Card: shop-scp03, ATR 3B88014B414953484F5033FD, SCP03 i=10, key version FF',
    );
    expect(Buffer.from(reader.atr).toString('hex').toUpperCase()).toBe('3B88014B414953484F5033FD');
    expect((await send(reader, '00A4040000')).sw).toBe('9000');
    expect((await take())?.status).toBe(130);
    await reader.removed;
  });

  it.each([
    { args: ['--profile', 'shop-scp03', '--scp', '02', '--i', '75', '--key-version', '21'], level: 0x13 },
    { args: ['--profile', 'shop-scp02', '--scp', '03', '--i', '60', '--key-version', '30'], level: 0x33 },
    { args: ['--profile', 'demo-scp03', '--i', '00'], level: 0x03 },
  ])('$args speaks the channel that was asked for', async ({ args, level }) => {
    const reader = await put(...args);
    const channel = await openChannel(reader, KEYS, { level });
    const version = args[7] ?? '01';
    expect(channel.initializeUpdate.slice(20, 22)).toBe(version);
    expect((await channel.send('80F28002024F0000')).sw).toBe('9000');
  });

  it('has the keys that were asked for', async () => {
    const reader = await put('--profile', 'jcop-scp03', '--key', SECRET.repeat(2));
    const key = fromHex(SECRET.repeat(2));
    const channel = await openChannel(reader, { enc: key, mac: key, dek: key }, { level: 0x33 });
    expect((await channel.send('80F28002024F0000')).sw).toBe('9000');
    expect(card?.said).not.toContain(SECRET);
  });

  it('takes what fits into its memory and refuses the rest', async () => {
    const reader = await put('--profile', 'shop-scp03', '--memory', '3000');
    expect(card?.said).toContain('3000 bytes free');
    const channel = await openChannel(reader, KEYS);
    const load = (bytes: string) => channel.send(`80E60200 10 05 0102030405 00 00 06 EF04C602${bytes}00 00`);
    expect((await load('0BB9')).sw).toBe('6A84');
    expect((await load('0BB8')).sw).toBe('9000');
  });

  it('locks its keys after as many wrong authentications as were asked for', async () => {
    const reader = await put('--profile', 'sim-scp02-15', '--tries', '2');
    const initialize = () => send(reader, '80500000080102030405060708');
    for (let i = 0; i < 2; i += 1) {
      expect((await initialize()).sw).toBe('611C');
      expect((await send(reader, `8482010010${'00'.repeat(16)}`)).sw).toBe('6300');
    }
    expect((await initialize()).sw).toBe('6983');
  });

  it('is the same card the next time when it is kept in a file', async () => {
    const state = join(folder, 'card.json');
    const first = await put('--profile', 'shop-scp03', '--state', state);
    const channel = await openChannel(first, KEYS);
    expect((await channel.send('80F0800700')).sw).toBe('9000');
    await take();
    const again = await put('--state', state, '--memory', '5');
    expect(card?.said).toContain('keys, memory and tries of the command line are for new ones');
    expect((await (await openChannel(again, KEYS)).send('80F28002024F0000')).data).toContain('9F700107');
    await take();
    const other = await endedCard('--state', state, '--profile', 'jcop-scp03');
    expect(other).toMatchObject({ status: 2 });
    expect(other.output).toContain('holds a shop-scp03 card: delete the file to make a jcop-scp03 one');
  });

  it('waits while the service is away', async () => {
    const { port } = vpcd;
    const reader = await put('--profile', 'shop-scp03');
    await vpcd.close();
    await reader.removed;
    vpcd = await listenAsVpcd(port);
    const again = await vpcd.inserted();
    expect((await send(again, '00A4040000')).sw).toBe('9000');
    expect((await take())?.output).toContain('The smart card service has gone; the card waits');
  });

  it('says that nothing listens', async () => {
    const { port } = vpcd;
    await vpcd.close();
    const { status, output } = await endedCard('--profile', 'shop-scp03', '--port', String(port));
    vpcd = await listenAsVpcd();
    expect(status).toBe(1);
    expect(output).toContain(`Nothing listens on port ${port}: start pcscd with vpcd, or say --pcscd.`);
  });
});

describe('traces', () => {
  it('are masked, and play as a card', async () => {
    const trace = join(folder, 'trace.txt');
    const recorded = await put('--profile', 'shop-scp03', '--trace', trace);
    const selected = await send(recorded, '00A4040000');
    await openChannel(recorded, KEYS);
    await take();
    const text = await readFile(trace, 'utf8');
    expect(text).toContain('> 80500000 08 **[8] 00');
    expect(text).toContain('> 84820100 10 **[16]');

    const replayed = await put('--replay', trace);
    expect(card?.said).toContain('ATR 3B88014B414953484F5033FD, 3 commands');
    expect(card?.said).toContain('Bytes of 1 of the answers are masked and given as 00');
    expect(await send(replayed, '00A4040000')).toEqual(selected);
    await replayed.transmit(fromHex('80CA9F7F00')).catch(() => undefined);
    const left = await card?.ended;
    card = undefined;
    expect(left?.status).toBe(1);
    expect(left?.output).toMatch(/The dialogue was left: line \d+: another command was sent\./);
    expect(left?.output).not.toContain('80CA9F7F');
  });

  it('shown whole only when that was asked for, which is said', async () => {
    const trace = join(folder, 'trace.txt');
    const reader = await put('--profile', 'shop-scp03', '--trace', trace, '--trace-full');
    expect(card?.said).toContain('TRACE WITHOUT MASKS');
    await send(reader, '80500000080102030405060708');
    await take();
    expect(await readFile(trace, 'utf8')).toContain('> 80500000 08 0102030405060708');
  });
});

describe('command lines that cannot be followed', () => {
  it.each([
    [[], 'Say which card: --profile NAME, one of demo-scp03,'],
    [['--profile', 'gold'], 'There is no profile "gold"; there are demo-scp03,'],
    [['--profile', 'shop-scp03', '--scp', '01'], '--scp takes 02 or 03.'],
    [['--profile', 'shop-scp03', '--i', '8F'], '--i takes one byte in hexadecimal, 00 to 7F.'],
    [['--profile', 'shop-scp03', '--i', '40'], 'has no SCP03 with i=40; it has SCP03 with i=00, 10,'],
    [['--profile', 'shop-scp02', '--key', SECRET.repeat(2)], 'SCP02 takes keys of 16 bytes.'],
    [['--profile', 'shop-scp03', '--key', `${SECRET}00`], '--key takes 16, 24 or 32 bytes'],
    [['--profile', 'shop-scp03', '--atr', '3B8801'], '--atr: '],
    [['--profile', 'shop-scp03', '--memory', '-1'], '--memory'],
    [['--profile', 'fmcos-native', '--scp', '02'], 'has no secure channel'],
    [['--profile', 'shop-scp03', '--trace-full'], '--trace-full needs --trace FILE.'],
    [['--profile', 'shop-scp03', '--pcscd', '--port', '1'], '--port is of a vpcd that runs already'],
    [['--replay', 'x', '--profile', 'shop-scp03'], 'leave --profile out'],
    [['--no-such-option'], 'npm run card -- --help tells the options'],
    [[`--kye=${SECRET}`], "unknown option '--kye'"],
    [['--kye', SECRET], "unknown option '--kye' (Did you mean --key?)"],
    [['--profile', 'shop-scp03', SECRET], 'a word belongs to no option'],
    [['--profile', 'shop-scp03', '--state', '--pcscd'], '--state needs a value.'],
    [['--key'], "option '--key <HEX>' argument missing"],
  ])('%j', async (args, sentence) => {
    const { status, output } = await endedCard(...args);
    expect(status).toBe(2);
    expect(output).toContain(sentence);
    expect(output).not.toContain(SECRET);
  });

  it('a trace that is none: which file, which line', async () => {
    const missing = join(folder, 'missing.txt');
    expect(await endedCard('--replay', missing)).toEqual({
      status: 1,
      output: `${missing}: cannot be read\n`,
    });
  });

  it('--help tells every option and every profile', async () => {
    const { status, output } = await endedCard('--help');
    expect(status).toBe(0);
    expect(output.trim()).toBe(usage().trim());
    for (const name of Object.keys(PROFILES)) expect(output).toContain(name);
    for (const option of [
      '--scp',
      '--i',
      '--key-version',
      '--key',
      '--key-enc',
      '--atr',
      '--memory',
      '--code',
    ])
      expect(output).toContain(option);
    for (const option of ['--port', '--pcscd', '--latency', '--state', '--replay', '--trace', '--trace-full'])
      expect(output).toContain(option);
  });
});

async function listen(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'card-'));
  vpcd = await listenAsVpcd();
}

async function close(): Promise<void> {
  await card?.stop();
  card = undefined;
  await vpcd.close();
  await rm(folder, { recursive: true, force: true });
}

const SECRET = 'C0FFEE00C0FFEE00C0FFEE00C0FFEE00';

const SHOP_KEY = fromHex('404142434445464748494A4B4C4D4E4F');

const KEYS = { enc: SHOP_KEY, mac: SHOP_KEY, dek: SHOP_KEY };

/** The card, in the reader. */
async function put(...args: string[]) {
  const [running, reader] = await Promise.all([
    startCard(...args, '--port', String(vpcd.port)),
    vpcd.inserted(),
  ]);
  card = running;
  return reader;
}

async function take() {
  const ended = await card?.stop();
  card = undefined;
  return ended;
}
