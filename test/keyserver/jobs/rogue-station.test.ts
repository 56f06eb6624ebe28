/**
 * A station that an attacker owns: enrolled, with an operator signed in, and a card in its reader. It asks for what it should not have; each
 * story says what it gets. (docs/security.md, "What an enrolled rogue station can do".)
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { OTHER_CALLER } from '../../support/forwarder.ts';
import { newRequestId, randomDigits, tokenRig } from '../../support/issuer-rig.ts';
import type { AnswersRequest, Batch, JobContext, JobReply, JobRequest } from '../../support/jobs.ts';
import { answerStep, batchOf, HIGH_LIMITS, refusal, startJob, storeText } from '../../support/jobs.ts';
import { cardKey, ecb, knownToken } from '../../support/known-token.ts';
import { advance, CALLER, ENABLE, runBatch, slotOnCard, triesLeft, WALLET } from '../../support/visits.ts';

const { makeToken, masters } = knownToken();

const rig = tokenRig('sqlite', makeToken);

describe('chosen challenges', () => {
  it('of 8 bytes, of 3, of none: no cryptogram, at the opening or later', async () => {
    for (const challenge of ['0011223344556677', '001122', '']) {
      const { asked } = await visit();
      // The opening is not used: the server asks for a challenge itself.
      const { commands } = batchOf(await ask(withChallenge(asked, challenge)));
      expect(commands.map(({ label }) => label.step)).toContain('challenge');
      expect(commands.map(({ label }) => label.step)).not.toContain('authenticate');
    }
    const { asked } = await visit(undefined);
    const reply = await ask(asked);
    const first = batchOf(reply);
    const next = batchOf(await tell(reply, 1, invented(first, '0011223344556677')));
    // The job is over but for the card's showing itself.
    expect(next.commands.map(({ label }) => label.step)).toEqual([
      'select-security-domain',
      'open-secure-channel',
    ]);
    const end = await tell(reply, 2, invented(next, '0011223344556677'));
    expect(end).toMatchObject({ outcome: { result: 'refused', error: 'card-refused-command' } });
  });

  it('of 4 bytes get the cryptogram over them and four zero bytes: half a block is never its own', async () => {
    const { identification, asked } = await visit();
    const master = masters.find((one) => one.purpose === 'app/e-wallet/mck' && one.origin === 'factory');
    if (master === undefined) throw new Error('no master');
    const key = cardKey(master, identification);
    const given = cryptogramIn(batchOf(await ask(withChallenge(asked, '01020304'))));
    expect(given).toBe(
      ecb('des3-16', key, Buffer.from('0102030400000000', 'hex')).toString('hex').toUpperCase(),
    );
  });
});

describe('a false account', () => {
  it('of a card that has one already is refused, and nothing is changed', async () => {
    const { card, account, asked } = await visit();
    await rig.carry(card, await ask(asked));
    const before = await storeText(rig.context);
    const again = await rig.request(card, randomDigits(16), ENABLE);
    expect((await refusal(ask(again))).code).toBe('account-mismatch');
    const other = rig.newCard();
    // Another account with the same last 16 digits would give the same keys.
    const twin = await rig.request(other.card, `77${account}`, ENABLE);
    expect((await refusal(ask(twin))).code).toBe('account-taken');
    expect(await storeText(rig.context)).toBe(before);
  });

  it('of a card at first sight binds the record, and the keys that the card gets are of that account: nothing of another card', async () => {
    const victim = await visit();
    await rig.carry(victim.card, await ask(victim.asked));
    const rogue = await visit();
    const forged = { ...rogue.asked, requestId: newRequestId(), account: victim.account };
    expect((await refusal(ask(forged))).code).toBe('account-taken');
  });
});

describe('a false identification code', () => {
  it('of a card far away: its cryptogram does not fit the card here, whose try it costs, and no key is written', async () => {
    const [here, far] = [await visit(), await visit()];
    const claimed = { ...far.asked, requestId: newRequestId(), opening: here.asked.opening };
    const reply = await ask(claimed);
    const outcome = await rig.carry(here.card, reply);
    expect(outcome).toMatchObject({ result: 'refused', error: 'card-refused-key', card: far.identification });
    expect(triesLeft(here.card)).toBe(2);
    // The far card's record is spoiled by that, which docs/security.md admits; the card itself is not.
    expect(triesLeft(far.card)).toBe(3);
    expect((await rig.record(far.identification)).issued).toBe(false);
  });

  it('with every answer invented: what it holds are key writes under keys that it does not know', async () => {
    const { asked, account, identification } = await visit();
    const reply = await ask(withChallenge(asked, '0A0B0C0D'));
    const sent: string[] = [];
    let batch: Batch | undefined = reply.batch;
    while (batch !== undefined) {
      sent.push(...batch.commands.map(({ apdu }) => apdu));
      const next = await tell(
        reply,
        batch.seq,
        invented(batch, randomBytes(4).toString('hex').toUpperCase()),
      );
      batch = 'batch' in next ? next.batch : undefined;
    }
    const bytes = sent.join(' ');
    for (const master of masters.filter(({ purpose }) => purpose.startsWith('app/e-wallet')))
      for (const digits of [identification, account]) {
        const key = cardKey(master, digits).toString('hex').toUpperCase();
        expect(bytes.includes(key.slice(0, 16)) || bytes.includes(key.slice(16))).toBe(false);
      }
    // FMCOS answers prove nothing, and the card never showed itself: the record says that something is in doubt, and no more.
    const { issued, apps } = await rig.record(identification);
    expect(issued).toBe(false);
    expect(apps.find(({ app }) => app === 'e-wallet')).toMatchObject({ inDoubt: true, ground: 'claimed' });
  });
});

describe('a false random', () => {
  it('makes the card refuse the key write, and leaves its keys as they were', async () => {
    const { card, asked } = await visit();
    const reply = await ask(asked);
    const first = batchOf(reply);
    const report = await runBatch(card, first);
    const forged = { ...report, answers: [...report.answers.slice(0, -1), 'DEADBEEF9000'] };
    const before = slotOnCard(card, WALLET, 0x36).value;
    const next = await tell(reply, 1, forged);
    expect(await rig.carry(card, { ...reply, batch: batchOf(next) })).toMatchObject({
      error: 'card-refused-command',
    });
    expect(slotOnCard(card, WALLET, 0x36).value).toBe(before);
    expect(slotOnCard(card, WALLET, 0x36).counter & 0x0f).toBe(3);
  });
});

describe('replayed and foreign answers', () => {
  it('the same answers again get the same reply; others to the same step a conflict', async () => {
    const { card, asked } = await visit();
    const reply = await ask(asked);
    const report = await runBatch(card, batchOf(reply));
    const next = await tell(reply, 1, report);
    const before = await storeText(rig.context);
    expect(await tell(reply, 1, report)).toEqual(next);
    const other = { ...report, answers: [...report.answers.slice(0, -1), '010203049000'] };
    expect((await refusal(tell(reply, 1, other))).code).toBe('step-conflict');
    expect((await refusal(tell(reply, 7, report))).code).toBe('step-conflict');
    expect(await storeText(rig.context)).toBe(before);
  });

  it('answers of another card: the key write that they earn is worthless on this one and on that', async () => {
    const [one, two] = [await visit(), await visit()];
    const [first, second] = [await ask(one.asked), await ask(two.asked)];
    const ofTwo = await runBatch(two.card, batchOf(second));
    const next = batchOf(await tell(first, 1, ofTwo));
    const keys = [one, two].map(({ card }) => slotOnCard(card, WALLET, 0x36).value);
    for (const { card } of [one, two]) await runBatch(card, next);
    expect([one, two].map(({ card }) => slotOnCard(card, WALLET, 0x36).value)).toEqual(keys);
  });

  it('a batch run a second time does nothing: each key write has its own challenge', async () => {
    const { card, asked } = await visit();
    const reply = await ask(asked);
    const write = await advance(card, rig.context, reply, 1);
    if (write === undefined) throw new Error('no batch');
    const report = await runBatch(card, write);
    expect(report.stoppedAt).toBeUndefined();
    const key = slotOnCard(card, WALLET, 0x36).value;
    expect((await runBatch(card, write)).stoppedAt).toBe(0);
    expect(slotOnCard(card, WALLET, 0x36).value).toBe(key);
  });
});

describe('another station’s job', () => {
  it('is not found: no batch, no state, nothing changed', async () => {
    const { card, asked, account } = await visit();
    const reply = await ask(asked);
    const report = await runBatch(card, batchOf(reply));
    const before = await storeText(rig.context);
    expect((await refusal(tell(reply, 1, report, OTHER_CALLER))).code).toBe('not-found');
    expect((await refusal(ask(asked, OTHER_CALLER))).code).toBe('request-conflict');
    const own = await rig.request(card, account, ENABLE);
    expect((await refusal(ask(own, OTHER_CALLER))).code).toBe('card-in-use');
    expect(await storeText(rig.context)).toBe(before);
  });
});

describe('more than one authentication in flight', () => {
  it('is never out: no batch holds two, and a second job ends the first', async () => {
    const { asked } = await visit();
    const first = await ask(withChallenge(asked, '00000001'));
    const second = await ask(withChallenge(asked, '00000002'));
    const authentications = [first, second].map((reply) =>
      batchOf(reply).commands.filter(({ label }) => label.step === 'authenticate'),
    );
    // What became of the first nobody has shown: the second job begins with the card's showing itself.
    expect(authentications.map(({ length }) => length)).toEqual([1, 0]);
    const late = tell(first, 1, invented(batchOf(first), '00000003'));
    expect((await refusal(late)).code).toBe('job-superseded');
  });

  it('asked at once, ten times: one job is left, and the ledger has counted every one that went out', async () => {
    const { asked, identification } = await visit();
    const replies = await Promise.allSettled(
      Array.from({ length: 10 }, (_, at) => ask(withChallenge(asked, `0000001${at}`))),
    );
    const out = replies.flatMap((one) =>
      one.status === 'fulfilled' && one.value.batch !== undefined ? [one.value] : [],
    );
    const cryptograms = out.filter((reply) => cryptogramIn(batchOf(reply)) !== undefined);
    // Whoever does not let the card show itself gets one.
    expect(cryptograms.length).toBe(1);
    const { jobs } = await rig.record(identification);
    expect(jobs.filter(({ ended }) => ended === null).length).toBeLessThanOrEqual(1);
  });
});

describe('as many authentications as it can get', () => {
  /** Has the card, lets it show itself, and says after each that it was pulled before it, so that no try is counted. */
  async function collect(context: JobContext): Promise<Set<string>> {
    const cryptograms = new Set<string>();
    const { asked, card } = await visit();
    for (let job = 0; job < 20; job += 1) {
      const reply = await startJob(
        context,
        CALLER,
        withChallenge(asked, randomBytes(4).toString('hex').toUpperCase()),
      ).catch(() => undefined);
      if (reply?.batch === undefined) break;
      const { batch } = reply;
      const head = cryptogramIn(batch) === undefined;
      const next = head
        ? await answerStep(context, CALLER, reply.job, 1, await runBatch(card, batch))
        : { batch };
      const out = 'batch' in next ? next.batch : undefined;
      const given = out && cryptogramIn(out);
      if (out === undefined || given === undefined) break;
      cryptograms.add(given);
      const unsent = { apiLevel: 1 as const, cardEpoch: 1, answers: [], stoppedAt: 0, reached: false };
      await answerStep(context, CALLER, reply.job, out.seq, unsent);
    }
    return cryptograms;
  }

  it('are as many a day for a card as the configuration says (100 unless it does); the excess is on record, once', async () => {
    const limits = { ...HIGH_LIMITS, authenticationsPerCardDay: 6 };
    expect((await collect({ ...rig.context, limits })).size).toBe(6);
    const audit = await rig.context.store
      .selectFrom('audit')
      .selectAll()
      .where('detail', 'like', '%authentications-per-card-day%')
      .execute();
    expect(audit).toMatchObject([{ kind: 'limit', station: CALLER.station, operator: CALLER.operator }]);
  });
});

it('after all of it, an honest station issues a card as ever', async () => {
  const { card } = rig.newCard();
  expect(await rig.issue(card, randomDigits(16), ENABLE)).toMatchObject({ result: 'complete' });
});

/** A card, its account, and what an honest station would ask. */
async function visit(opening: string | undefined = 'e-wallet') {
  const made = rig.newCard();
  const account = randomDigits(16);
  return { ...made, account, asked: await rig.request(made.card, account, ENABLE, opening) };
}

const withChallenge = (asked: JobRequest, challenge: string): JobRequest => ({
  ...asked,
  requestId: newRequestId(),
  opening: { app: 'e-wallet', select: '9000', challenge: `${challenge}9000` },
});

/** The cryptogram in a batch; undefined when it authenticates nothing. */
const cryptogramIn = (batch: Batch) =>
  batch.commands.find(({ label }) => label.step === 'authenticate')?.apdu.slice(10, 26);

/** Answers a whole batch with 9000, and one challenge of its choice. */
const invented = (batch: Batch, challenge: string): AnswersRequest => ({
  apiLevel: 1,
  cardEpoch: batch.cardEpoch,
  answers: batch.commands.map(({ label, expect: wanted }) =>
    label.step === 'challenge' ? `${challenge}9000` : `${wanted?.value ?? ''}9000`,
  ),
});

const ask = (asked: JobRequest, caller = CALLER, context: JobContext = rig.context) =>
  startJob(context, caller, asked);

const tell = (reply: JobReply, seq: number, report: AnswersRequest, caller = CALLER) =>
  answerStep(rig.context, caller, reply.job, seq, report);
