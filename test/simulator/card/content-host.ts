/** Content management commands of the test host. */
import type { Opened } from './gp-host.ts';

const lv = (hex: string) => (hex.length / 2).toString(16).padStart(2, '0') + hex;
const command = (ins: string, p1: number, p2: number, data: string) =>
  `80${ins}${p1.toString(16).padStart(2, '0')}${p2.toString(16).padStart(2, '0')}${lv(data)}00`;

/** INSTALL [for load] with an empty hash. */
export const installForLoad = (aid: string, parameters = '', domain = 'A000000151000000') =>
  command('E6', 0x02, 0x00, `${lv(aid)}${lv(domain)}00${lv(parameters)}00`);

/** C4, its length in the form asked for, and the file, cut into blocks. */
export function loadBlocks(file: Uint8Array, options: { block?: number; length?: string } = {}): string[] {
  const { block = 200 } = options;
  const shortest = file.length < 0x80 ? '' : file.length < 0x100 ? '81' : '82';
  const digits = file.length.toString(16).padStart(shortest === '82' ? 4 : 2, '0');
  const whole = `C4${options.length ?? shortest + digits}${Buffer.from(file).toString('hex')}`;
  const size = block * 2;
  const count = Math.ceil(whole.length / size);
  return Array.from({ length: count }, (_, i) =>
    command('E8', i === count - 1 ? 0x80 : 0x00, i & 0xff, whole.slice(i * size, (i + 1) * size)),
  );
}

/** INSTALL by P1: 04, 08, 0C. */
export const install = (
  p1: number,
  file: string,
  module: string,
  aid: string,
  privileges = '00',
  parameters = 'C900',
) => command('E6', p1, 0x00, `${lv(file)}${lv(module)}${lv(aid)}${lv(privileges)}${lv(parameters)}00`);

/** DELETE by AID. */
export const remove = (aid: string, p2 = 0x00) => command('E4', 0x00, p2, `4F${lv(aid)}`);

/** Sends all; the status word of the first that is not 9000, or 9000. */
export async function sendAll(channel: Opened, commands: readonly string[]): Promise<string> {
  for (const each of commands) {
    const { sw } = await channel.send(each);
    if (sw !== '9000') return sw;
  }
  return '9000';
}
