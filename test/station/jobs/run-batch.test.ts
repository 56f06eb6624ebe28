import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../app/card/bytes.ts';
import { CardError, type CardFault } from '../../../app/card/reader-port.ts';
import { runBatch } from '../../../app/station/jobs/run-batch.ts';
import { exchange, hasSecureMessaging } from '../../../app/station/readers/transport.ts';
import { type Batch, type Command, KaikaError } from '../../support/stations.ts';

describe('accept', () => {
  it.each([
    [['90'], '9000', true],
    [['90'], '9001', true],
    [['9000'], '9001', false],
    [['9000', '6A88'], '6A88', true],
    [['6A'], '6A88', true],
    [['63'], '63C2', true],
    [['9000'], '63C2', false],
  ])('%j takes %s: %s', async (accept, statusWord, goesOn) => {
    const card = scripted(statusWord, '9000');
    const result = await run(card, batch(command('00A40000', { accept }), command('00B00000')));
    expect(card.sent).toHaveLength(goesOn ? 2 : 1);
    expect(result).toEqual(
      goesOn ? { answers: [statusWord, '9000'] } : { answers: [statusWord], stoppedAt: 0 },
    );
  });
});

describe('expect', () => {
  it.each([
    ['AABB', 'FFFF', 'AABB9000', true],
    ['AABB', 'FF00', 'AACC9000', true],
    ['AABB', 'FFFF', 'AACC9000', false],
    ['AABB', 'FFFF', 'AABBCC9000', true],
    ['AABB', 'FFFF', 'AA9000', false],
    ['AABB', '0000', 'AA9000', false],
    ['AABB', 'FF', 'AABB9000', false],
  ])('value %s mask %s on %s: %s', async (value, mask, answer, goesOn) => {
    const card = scripted(answer, '9000');
    const result = await run(
      card,
      batch(command('00B0000002', { expect: { value, mask } }), command('00B00000')),
    );
    expect(result.stoppedAt).toBe(goesOn ? undefined : 0);
    expect(result.answers[0]).toBe(answer);
  });
});

describe('6Cxx', () => {
  it('is repeated with the length the card names', async () => {
    const card = scripted('6C04', '010203049000');
    const result = await run(card, batch(command('00B0000000')));
    expect(card.sent).toEqual(['00B0000000', '00B0000004']);
    expect(result).toEqual({ answers: ['010203049000'] });
  });

  it.each([
    ['a command with a MAC', command('04D6950008AABBCCDD0011223300', { accept: ['90'] }), undefined],
    [
      'a command with a MAC of a secure channel',
      command('84F2400010000102030405060708090A0B0C0D0E0F00'),
      undefined,
    ],
    ['a command that changes the card', command('80F0000000', { effect: true }), undefined],
    [
      'the command that uses a challenge',
      command('008200000000'),
      command('0084000004', { label: { step: 'challenge' } }),
    ],
  ])('is never repeated for %s', async (_, one, before) => {
    const card = scripted(...(before === undefined ? [] : ['A1A2A3A49000']), '6C04', '9000');
    const result = await run(card, batch(...(before === undefined ? [] : [before]), one));
    expect(result.answers[result.answers.length - 1]).toBe('6C04');
    expect(card.sent).toHaveLength(before === undefined ? 1 : 2);
  });
});

describe('61xx', () => {
  it('is fetched whole, on the channel of the command, without secure messaging', async () => {
    const card = scripted('AA6102', '6C01', 'BB6101', 'CC9000');
    const result = await run(card, batch(command('85F2000000')));
    expect(card.sent.slice(1)).toEqual(['01C0000002', '01C0000001', '01C0000001']);
    expect(result).toEqual({ answers: ['AABBCC9000'] });
  });

  it('from a card that never comes to an end is a fault', async () => {
    const result = await run(
      scripted(...Array.from({ length: 40 }, () => '6100')),
      batch(command('00B0000000')),
    );
    expect(result.fault).toMatchObject({ kind: 'card', card: 'communication' });
    const long = scripted(`${'00'.repeat(200)}61C8`, `${'00'.repeat(200)}9000`);
    await expect(exchange(long, fromHex('00B0000000'), { repeatable: true })).rejects.toThrow(
      'longer than 256',
    );
  });
});

it.each([
  [0x00, false],
  [0x04, true],
  [0x0c, true],
  [0x80, false],
  [0x84, true],
  [0x83, false],
  [0x40, false],
  [0x60, true],
  [0xc0, false],
  [0xe0, true],
])('class %i has secure messaging: %s', (cla, yes) => {
  expect(hasSecureMessaging(cla)).toBe(yes);
});

const FAULTS: readonly (readonly [CardFault, boolean])[] = [
  ['card-removed', true],
  ['card-reset', true],
  ['communication', true],
  ['reader-lost', true],
  ['service-missing', true],
  ['card-absent', false],
  ['card-held', false],
];

describe.each(FAULTS)('%s', (fault, reached) => {
  it.each([0, 1, 2])(
    'at command %i: the answers so far come back, and whether it may have arrived',
    async (at) => {
      const answers = ['01', '02', '03'].map((data, i) => (i === at ? new CardError(fault) : `${data}9000`));
      const card = scripted(...answers);
      const result = await run(card, batch(command('00B00001'), command('00B00002'), command('00B00003')));
      expect(result.answers).toEqual(['019000', '029000'].slice(0, at));
      expect(result).toMatchObject({ stoppedAt: at, reached, fault: { kind: 'card', card: fault } });
      expect(card.sent).toHaveLength(at + 1);
    },
  );
});

describe('an effect', () => {
  it('is noted before it is sent, and only it', async () => {
    const order: string[] = [];
    const card = {
      transmit: async (bytes: Uint8Array) => {
        order.push(toHex(bytes));
        return fromHex('9000');
      },
    };
    await runBatch(batch(command('00840000'), command('80F00100', { effect: true }), command('00B00000')), {
      card,
      noteEffect: (index) => order.push(`note ${index}`),
      onCommand: (index, _, effect) => order.push(`${effect ? 'writing' : 'reading'} ${index}`),
    });
    expect(order).toEqual([
      'reading 0',
      '00840000',
      'note 1',
      'writing 1',
      '80F00100',
      'reading 2',
      '00B00000',
    ]);
  });

  it('that cannot be noted is not sent', async () => {
    const card = scripted('9000');
    const result = await run(card, batch(command('00840000'), command('80F00100', { effect: true })), () => {
      throw new KaikaError('station-disk-full');
    });
    expect(card.sent).toEqual(['00840000']);
    expect(result).toEqual({ answers: ['9000'], stoppedAt: 1, reached: false, fault: { kind: 'disk' } });
  });
});

const command = (apdu: string, more: Partial<Command> = {}): Command => ({
  apdu,
  accept: ['9000'],
  label: { step: 'read-state' },
  ...more,
});

/** A card that gives these answers in turn; a fault instead of an answer is thrown. */
function scripted(...answers: (string | CardError)[]) {
  const sent: string[] = [];
  return {
    sent,
    transmit: async (command: Uint8Array) => {
      const answer = answers[sent.length];
      sent.push(toHex(command));
      if (answer === undefined) throw new Error('no answer scripted');
      if (typeof answer !== 'string') throw answer;
      return fromHex(answer);
    },
  };
}

const batch = (...commands: Command[]): Batch => ({ seq: 1, cardEpoch: 0, commands });

const run = (
  card: ReturnType<typeof scripted>,
  one: Batch,
  noteEffect: (index: number) => void = () => undefined,
) => runBatch(one, { card, noteEffect });
