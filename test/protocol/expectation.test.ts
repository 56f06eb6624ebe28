/** What the station lets pass and what the server then takes for passed are the same, for every value and mask. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../app/card/bytes.ts';
import { readFates } from '../../app/keyserver/issuer/answers.ts';
import { commandSchema } from '../../app/protocol/wire.ts';
import { accepts } from '../../app/station/jobs/run-batch.ts';

describe('expected data', () => {
  it('mean the same to the station and to the server', () => {
    fc.assert(
      fc.property(hex(1, 4), hex(1, 4), hex(0, 5), (value, mask, data) => {
        const command = commandThatExpects({ value, mask });
        if (command === undefined) return;
        const answer = `${data}9000`;
        const sent = { step: 0, meaning: { kind: 'pass' as const }, guarded: false, ...command };
        const [fate] = readFates([sent], { apiLevel: 1, cardEpoch: 0, answers: [answer] });
        expect(fate?.kind === 'ok').toBe(accepts(command, answer));
      }),
    );
  });

  it.each([
    ['shorter', 'FF'],
    ['longer', 'FFFFFF'],
  ])('with a mask that is %s than the value are refused', (_name, mask) => {
    expect(commandThatExpects({ value: '0102', mask })).toBeUndefined();
    expect(commandThatExpects({ value: '0102', mask: 'FFFF' })).toBeDefined();
  });
});

const hex = (least: number, most: number) =>
  fc.uint8Array({ minLength: least, maxLength: most }).map((bytes) => toHex(bytes));

/** What the wire lets a command expect; undefined where it refuses the command. */
function commandThatExpects(expect: { value: string; mask: string }) {
  return commandSchema.safeParse({
    apdu: '00B0000002',
    accept: ['9000'],
    expect,
    label: { step: 'read-state' },
  }).data;
}
