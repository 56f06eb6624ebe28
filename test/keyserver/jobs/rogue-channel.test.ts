/** A rogue station and the security domain: what it gets without the card's own proof is nothing, or is of no use to another card. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomDigits } from '../../support/issuer-rig.ts';
import type { AnswersRequest, Batch, IssuerRig, Wish } from '../../support/jobs.ts';
import { answerStep, batchOf, HIGH_LIMITS, readCardRecord, refusal, startJob } from '../../support/jobs.ts';
import { MOVING_TYPES } from '../../support/moving-types.ts';
import { otherTypes } from '../../support/other-type.ts';
import { CALLER, carry, issue, request, runBatch, transmit } from '../../support/visits.ts';

const types = otherTypes(MOVING_TYPES);
let rig: IssuerRig;
beforeAll(async () => {
  rig = { ...types.rig, context: types.context };
});

/** One of each protocol whose challenges cannot be foretold. */
describe.each(['added', 'replaced'] as const)('the channel of a card with random challenges (%s)', (type) => {
  async function begin(wishes = LOAD) {
    const made = types.type(type).newCard();
    const account = randomDigits(16);
    const reply = await startJob(rig.context, CALLER, await request(made.card, rig.context, account, wishes));
    const batch = batchOf(reply);
    return { ...made, account, reply, batch, report: await runBatch(made.card, batch) };
  }
  const tell = async (job: string, report: AnswersRequest) => answerStep(rig.context, CALLER, job, 1, report);

  it('is not opened for an invented answer, one bit off, of another card, or of yesterday', async () => {
    const other = await begin();
    const foreign = openingOf(other.report, other.batch);
    const bitOff = (answer: string) => {
      const bytes = Buffer.from(answer.slice(0, -4), 'hex');
      bytes[IN_CRYPTOGRAM] = (bytes[IN_CRYPTOGRAM] ?? 0) ^ 0x01;
      return `${bytes.toString('hex').toUpperCase()}9000`;
    };
    const one = await begin();
    const yesterday = openingOf(one.report, one.batch);
    await carry(one.card, rig.context, { ...one.reply, batch: one.batch }).catch(() => undefined);
    const answers: [string, (own: string) => string][] = [
      [
        'invented',
        (own) =>
          `${randomBytes(own.length / 2 - 2)
            .toString('hex')
            .toUpperCase()}9000`,
      ],
      ['with one bit of its cryptogram changed', bitOff],
      ['of another card', () => foreign],
      ['given to another challenge', () => yesterday],
    ];
    for (const [what, make] of answers) {
      const { reply, batch, report, identification, card } = await begin();
      const before = JSON.stringify(card.image.domain);
      const next = await tell(reply.job, forged(report, batch, make(openingOf(report, batch))));
      // What is invented has another protocol already, and says so of the card's type.
      const error = what === 'invented' ? 'wrong-card-type' : 'card-has-other-keys';
      expect(next, what).toMatchObject({ outcome: { result: 'refused', error } });
      expect(JSON.stringify(card.image.domain), what).toBe(before);
      const { jobs } = await readCardRecord(rig.context, identification);
      const steps = jobs.flatMap((job) => job.steps).map(({ step }) => step);
      expect(steps, what).not.toContain('authenticate-secure-channel');
    }
  });

  it('once opened, its commands are for this session and no other: run again they do nothing', async () => {
    const { card, reply, report } = await begin(DELETE);
    const next = await tell(reply.job, report);
    const batch = batchOf(next);
    const done = await runBatch(card, batch);
    expect(done.stoppedAt).toBeUndefined();
    const before = JSON.stringify(card.image.domain.keySets);
    card.reset();
    expect((await runBatch(card, batch)).stoppedAt).toBe(0);
    expect(JSON.stringify(card.image.domain.keySets)).toBe(before);
  });
});

describe('a card whose challenges can be foretold', () => {
  it('gets its commands before it has proven itself; on another card they do nothing', async () => {
    const [one, two] = [rig.newCard(), rig.newCard()];
    const asked = await request(one.card, rig.context, randomDigits(16), DELETE);
    const { commands } = batchOf(await startJob(rig.context, CALLER, asked));
    expect(commands.map(({ label }) => label.step)).toContain('authenticate-secure-channel');
    const before = JSON.stringify(two.card.image.instances);
    const from = commands.findIndex(({ label }) => label.step === 'open-secure-channel');
    const answers: string[] = [];
    for (const { apdu } of commands.slice(from)) answers.push(await transmit(two.card, apdu));
    // Its own challenge is another one, so the first that needs the channel is refused, and all behind it.
    expect(answers.slice(1).filter((answer) => answer.endsWith('9000'))).toEqual([]);
    expect(JSON.stringify(two.card.image.instances)).toBe(before);
  });
});

it('openings of channels count as authentications, one to a batch, and are capped', async () => {
  const context = { ...rig.context, limits: { ...HIGH_LIMITS, authenticationsPerCardDay: 1 } };
  const { card } = rig.newCard();
  const account = randomDigits(16);
  expect(await issue(card, context, account, DELETE)).toMatchObject({ result: 'complete' });
  const more: Wish[] = [{ app: 'identity', action: 'delete' }];
  // Where the opening is foretold the job is refused; elsewhere it ends before the channel.
  expect((await refusal(issue(card, context, account, more))).code).toBe('too-many-attempts');
  const asked = await request(card, context, account, more);
  delete asked.card.sequenceCounter;
  expect(await carry(card, context, await startJob(context, CALLER, asked))).toMatchObject({
    result: 'refused',
    error: 'too-many-attempts',
  });
});

const LOAD: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

/** A byte of the card cryptogram: bytes 20 to 27 of SCP02's answer, 21 to 28 of SCP03's (GPC 2.3.1 table E-6, Amendment D table 7-2). */
const IN_CRYPTOGRAM = 22;

const DELETE: Wish[] = [{ app: 'transit', action: 'delete' }];

/** The report on a channel's beginning, with another answer to INITIALIZE UPDATE. */
function forged(report: AnswersRequest, batch: Batch, answer: string): AnswersRequest {
  const at = batch.commands.findIndex(({ label }) => label.step === 'open-secure-channel');
  return { ...report, answers: report.answers.map((one, i) => (i === at ? answer : one)) };
}

const openingOf = (report: AnswersRequest, batch: Batch) =>
  report.answers[batch.commands.findIndex(({ label }) => label.step === 'open-secure-channel')] ?? '';
