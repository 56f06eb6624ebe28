/** scriptor and pcsc_scan of pcsc-tools: what a card answers to right and wrong commands, T=1 and T=0. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rigAvailability } from '../../app/simulator/rig/index.ts';
import { isInstalled, type RunningCard, runTool, startCard } from '../support/running-card.ts';

const here = (await rigAvailability()).available && isInstalled('scriptor') && isInstalled('pcsc_scan');

describe.skipIf(!here)('pcsc-tools (skipped without pcsc-tools or a pcscd of our own)', () => {
  describe('a T=1 card', () => {
    let card: RunningCard;
    beforeAll(async () => {
      card = await startCard('--profile', 'shop-scp03', '--pcscd');
    });
    afterAll(async () => {
      await card.stop();
    });

    it('scriptor: answers as the specification says', async () => {
      const got = await script(card, 'T=1', ['reset', ...T1.map(([command]) => command)]);
      // The reset is a line of its own, answered with the ATR.
      expect(T1.map(([command, , why], i) => [command, got[i + 1], why])).toEqual(T1);
    });

    it('pcsc_scan: sees the card that is in, and the slot that is empty', async () => {
      const { output } = await runTool(card, ['pcsc_scan', '-n', '-q', '-t', '1']);
      expect(output).toContain('ATR: 3B 88 01 4B 41 49 53 48 4F 50 33 FD');
      expect(output).toContain('Card inserted');
      expect(output).toContain('Card removed');
    });
  });

  it('scriptor: a recorded dialogue is given again until it is left', async () => {
    const file = fileURLToPath(new URL('./dialogues/gp-scp03.txt', import.meta.url));
    const card = await startCard('--replay', file, '--pcscd');
    try {
      const got = await script(card, 'T=1', ['00 A4 04 00 00', '80 CA 9F 7F 00', '80 CA 00 67 00']);
      expect(got.slice(0, 2)).toEqual(['9000', '9000']);
      const { status, output } = await card.ended;
      expect(status).toBe(1);
      expect(output).toMatch(/The dialogue was left: line \d+: another command was sent\./);
    } finally {
      await card.stop();
    }
  });

  it('scriptor: a T=0 card gives its answers in the forms of T=0', async () => {
    const card = await startCard('--profile', 'sim-scp02-15', '--pcscd');
    try {
      const got = await script(
        card,
        'T=0',
        T0.map(([command]) => command),
      );
      expect(T0.map(([command, , why], i) => [command, got[i], why])).toEqual(T0);
    } finally {
      await card.stop();
    }
  });
});

const READER = 'Virtual Reader A 00 00';

/** Commands and the status word of each answer, as a person would type them into scriptor. */
async function script(card: RunningCard, protocol: string, commands: readonly string[]): Promise<string[]> {
  const args = ['scriptor', '-r', READER, '-p', protocol];
  const { output } = await runTool(card, args, `${commands.join('\n')}\n`);
  const answers = output.split(/^> .*$/m).slice(1);
  return answers.map((text) => {
    const bytes = (/<([^:]*):/.exec(text)?.[1] ?? '').match(/[0-9A-F]{2}/g) ?? [];
    return bytes.slice(-2).join('');
  });
}

/** Each line: command, status word, why. */
const T1: readonly (readonly [string, string, string])[] = [
  ['00 A4 04 00 00', '9000', 'SELECT without an AID: the issuer security domain'],
  ['00 A4 04 00', '9000', 'the same as a case 1 command'],
  ['00 A4 04 00 08 A0 00 00 01 51 00 00 00', '9000', 'by its whole AID'],
  ['00 A4 04 00 05 A0 00 00 01 51 00', '9000', 'by a part of it, and with Le'],
  ['00 A4 04 00 05 F0 00 00 00 01', '6A82', 'an application that is not there'],
  ['00 A4 04 01 00', '6A86', 'P2 of another meaning'],
  ['00 A4 00 0C 02 3F 00', '6A86', 'by a file identifier, as tools look for file systems'],
  ['80 CA 9F 7F 00', '9000', 'GET DATA, production data'],
  ['80 CA 9F 7F 05', '6C2D', 'Le too small: ISO 7816-4 §5.6, the right one is told'],
  ['00 CA 00 66 00', '9000', 'card data in class 00 too'],
  ['80 CA DF 00 00', '6A88', 'no such object'],
  ['80 CA 00 66 01 00 00', '6700', 'GET DATA with data'],
  ['80 50 00 00 04 01 02 03 04 00', '6700', 'INITIALIZE UPDATE with half a challenge'],
  ['80 50 2A 00 08 01 02 03 04 05 06 07 08 00', '6A88', 'a key version that is not there'],
  ['80 50 00 00 08 01 02 03 04 05 06 07 08 00', '9000', 'INITIALIZE UPDATE'],
  ['80 CA 00 66 00', '9000', 'another command between it and the authentication'],
  ['84 82 00 00 10 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00', '6985', 'no longer awaited'],
  ['80 F2 80 02 02 4F 00 00', '6982', 'management without a secure channel'],
  ['80 E6 0C 00 00', '6982', 'INSTALL without a secure channel'],
  ['00 A4 04 00 00 00 08 A0 00 00 01 51 00 00 00 00 00', '6700', 'extended length'],
  ['80 11 00 00 00', '6D00', 'an unknown instruction'],
  ['B0 CA 00 66 00', '6E00', 'an unknown class'],
  ['81 CA 00 66 00', '6881', 'a logical channel that is not open'],
  ['00 70 00 00 01', '6D00', 'MANAGE CHANNEL: there is one channel only'],
];

const T0: readonly (readonly [string, string, string])[] = [
  ['00 A4 04 00 00', '6143', 'the answer waits for GET RESPONSE (ISO 7816-3 §12.2)'],
  ['00 C0 00 00 43', '9000', 'and is fetched'],
  ['00 C0 00 00 43', '6985', 'once'],
  ['80 CA 9F 7F 00', '6C2D', 'a wrong Le is answered with the right one'],
  ['80 CA 9F 7F 2D', '9000', 'which then is given'],
  ['80 50 00 00 08 01 02 03 04 05 06 07 08', '611C', 'INITIALIZE UPDATE'],
  ['00 C0 00 00 10', '610C', 'fetched in two'],
  ['00 C0 00 00 0C', '9000', 'pieces'],
  ['80 F2 80 02 02 4F 00', '6982', 'management without a secure channel'],
];
