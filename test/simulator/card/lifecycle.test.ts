/** Card life cycle: what each state forbids (GPC 2.3.1 §5.1, table 11-1, figure 5-1). */
import { describe, expect, it } from 'vitest';
import { install, installForLoad, openedShopCard, remove, send, shopCard } from './host.ts';

const STATES = [
  ['OP_READY', 0x01],
  ['INITIALIZED', 0x07],
  ['SECURED', 0x0f],
] as const;

describe.each(STATES)('%s', (_name, state) => {
  it.each(MANAGEMENT)('allows %s', async (name, command) => {
    const { channel } = await opened(state);
    const { sw } = await channel.send(command);
    // PUT KEY, LOAD and DELETE of nothing fail for what they are, not for the state.
    const refused = { 'PUT KEY': '6A80', LOAD: '6985', DELETE: '6A88' };
    expect(sw).toBe(name in refused ? refused[name as keyof typeof refused] : '9000');
  });
});

describe('transitions', () => {
  const ALLOWED = new Map([
    [0x01, [0x07, 0x0f, 0xff]],
    [0x07, [0x0f, 0xff]],
    [0x0f, [0x7f, 0xff]],
    [0x7f, [0x0f, 0xff]],
  ]);
  it.each([...ALLOWED])('from %i to %j, and to nothing else', async (from, allowed) => {
    for (const to of [0x00, 0x01, 0x03, 0x07, 0x0f, 0x7f, 0x80, 0xff]) {
      const { device, channel } = await opened(from);
      expect((await channel.send(`80F080${hex(to)}`)).sw).toBe(allowed.includes(to) ? '9000' : '6A80');
      expect(device.image.domain.lifecycle).toBe(allowed.includes(to) ? to : from);
    }
  });
});

describe('CARD_LOCKED', () => {
  it('selects its issuer’s domain with a warning, and nothing else', async () => {
    const { device } = await opened(0x7f);
    expect((await send(device, '00A4040000')).sw).toBe('6283');
    expect((await send(device, '00A4040008A00000015100000000')).sw).toBe('6283');
    expect((await send(device, `00A4040007${FILE}00`)).sw).toBe('6A81');
  });

  it('changes no content, no keys and no data', async () => {
    const { device, channel } = await opened(0x7f);
    const before = JSON.stringify(device.image);
    for (const [, command] of MANAGEMENT) expect((await send(device, command)).sw).toBe('6985');
    expect(JSON.stringify(device.image)).toBe(before);
    expect((await channel.send('80F24002024F0000')).sw).toBe('6A88');
    expect((await channel.send('80CA004500')).sw).toBe('9000');
    expect((await channel.send('80F0800F')).sw).toBe('9000');
  });
});

describe('TERMINATED', () => {
  it('answers GET DATA, and refuses everything else from that moment on', async () => {
    const { device, channel } = await opened(0x0f);
    expect((await channel.send('80F080FF')).sw).toBe('9000');
    for (const command of ['80F28002024F0000', '80F0800F', ...MANAGEMENT.map(([, one]) => one)])
      expect((await channel.send(command)).sw).toBe('6985');
    device.reset();
    expect((await send(device, '80CA9F7F00')).sw).toBe('9000');
    expect((await send(device, '80500000080102030405060708')).sw).toBe('6985');
    expect((await send(device, '00A4040000')).sw).toBe('6A81');
    expect((await send(device, '8012000000')).sw).toBe('6985');
  });
});

describe('unknown and malformed commands', () => {
  it.each([
    ['8012000000', '6D00'],
    ['00B0000000', '6D00'],
    ['0070000001', '6D00'],
    ['C0CA004500', '6E00'],
    ['10CA004500', '6E00'],
    ['82CA004500', '6881'],
    ['01A4040000', '6881'],
    ['80CA', '6700'],
    ['80CA0045', '9000'],
    ['80F24002034F00', '6700'],
    ['80CA0045000000', '6700'],
    ['00A4040100', '6A86'],
    ['00A4000000', '6A86'],
    [`00A4040011${'11'.repeat(17)}00`, '6700'],
    ['80500000070102030405060700', '6700'],
    ['80500001080102030405060708', '6A86'],
    ['84500000080102030405060708', '6E00'],
    ['80820100100102030405060708090A0B0C0D0E0F10', '6E00'],
  ])('%s: %s', async (command, expected) => {
    expect((await send(shopCard(), command)).sw).toBe(expected);
  });

  it('an answer without its form: SELECT with P2 0C', async () => {
    expect(await send(shopCard(), '00A4040C08A000000151000000')).toEqual({ data: '', sw: '9000' });
  });
});

const FILE = 'A0000001515350';
const MODULE = 'A000000151535041';
const DOMAIN = 'A00000015153504101';

/** One management command of each kind. */
const MANAGEMENT = [
  ['INSTALL', install(0x0c, FILE, MODULE, DOMAIN, '80')],
  ['INSTALL [for load]', installForLoad('D2760000850100')],
  ['STORE DATA', '80E290000642041234ABCD'],
  ['DELETE', remove('D2760000850100')],
  ['PUT KEY', '80D8000102300000'],
  ['LOAD', '80E88000021122'],
] as const;

const hex = (state: number) => state.toString(16).padStart(2, '0');

const opened = (state: number) =>
  openedShopCard('shop-scp03', {}, (image) => {
    image.domain.lifecycle = state;
  });
