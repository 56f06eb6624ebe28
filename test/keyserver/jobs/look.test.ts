/**
 * The card's own list of its apps, in a channel whose answers carry its MAC: it settles what stations only said, both ways, and nothing else does.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswersRequest, Batch, JobReply, ObservedApp, Wish } from '../../../app/protocol/wire.ts';
import type { CardDevice } from '../../../app/simulator/device.ts';
import type { CardImage } from '../../../app/simulator/image.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { enable, runBatch } from '../../support/forwarder.ts';
import { inventing } from '../../support/inventing.ts';
import { randomDigits } from '../../support/issuer-rig.ts';
import { WALLET } from '../../support/issuer-steps.ts';
import { otherTypes, type TypeSpec } from '../../support/other-type.ts';

const GUARDED = ['two', 'three', 'three-all', 'offers'];
const THREE = ['three', 'three-all', 'offers'];

const types = otherTypes(lookedAt());

describe.each(GUARDED)('a card that puts its MAC on its answers (%s)', (id) => {
  it('has an app that a station said was gone: keys and tries are as they were, seen in this job', async () => {
    const { card, identification, account } = await enabled(id);
    const before = await appOf(identification, 'e-wallet');
    await sayGone(card, account);
    expect(await appOf(identification, 'e-wallet')).toMatchObject({ inDoubt: true });
    const { job, batches } = await run(card, await asking(card, account, LOAD, WITHOUT_WALLET));
    expect(looks(batches)).toBe(1);
    const after = await appOf(identification, 'e-wallet');
    expect(after).toMatchObject({ state: 'enabled', inDoubt: false, keys: before?.keys });
    expect(after?.kept).toBeUndefined();
    const { apps } = await types.record(identification);
    expect(apps.find(({ app }) => app === 'e-wallet')).toMatchObject({
      ground: 'seen',
      groundSince: { job, at: expect.stringMatching(/^20/) },
      inDoubt: false,
    });
  });

  it('has no longer an app that the record has: its keys go, and what was known of them', async () => {
    const { card, identification, account } = await enabled(id);
    const bare = without(card, WALLET);
    const { job, outcome } = await run(bare, await asking(bare, account, LOAD));
    expect(outcome).toMatchObject({ result: 'complete' });
    const after = await appOf(identification, 'e-wallet');
    expect(after).toMatchObject({ state: 'missing', inDoubt: false, keys: null, ground: { in: { job } } });
    expect(after?.kept).toBeUndefined();
  });

  it('does not have an app that its record says is gone, whatever a station says it saw', async () => {
    const { card, identification, account } = await enabled(id);
    await types.issue(card, account, [{ app: 'identity', action: 'delete' }]);
    expect(await appOf(identification, 'identity')).toMatchObject({ keys: null, ground: { by: 'proven' } });
    const lie: ObservedApp = { app: 'identity', state: 'installed' };
    await run(card, await asking(card, account, LOAD, [lie]));
    expect(await appOf(identification, 'identity')).toMatchObject({
      state: 'missing',
      inDoubt: false,
      keys: null,
      ground: { by: 'seen' },
    });
  });

  it('has an app that its record says is gone: the record has it then, with the keys it is delivered with', async () => {
    const { card, identification, account } = await enabled(id);
    const { instances, packages } = card.image;
    await types.issue(card, account, [{ app: 'identity', action: 'delete' }]);
    const back = changed(card, (image) => Object.assign(image, { instances, packages }));
    // Seen or not: the list names every app.
    const said: ObservedApp[] = [...WITHOUT_WALLET, { app: 'identity', state: 'missing' }];
    await run(back, await asking(back, account, LOAD, said));
    const identity = await appOf(identification, 'identity');
    expect(identity).toMatchObject({ state: 'installed', inDoubt: false, ground: { by: 'seen' } });
    expect(identity?.keys?.['mck']?.candidates).toMatchObject([{ origin: 'factory' }]);
  });

  it('is asked for nothing more while nothing is in doubt, and for no trip more when something is', async () => {
    const { card, account } = await enabled(id);
    for (const wishes of [LOAD, DELETE, LOAD, enable('identity')]) {
      const { batches, outcome } = await run(card, await asking(card, account, wishes));
      expect([looks(batches), outcome.result]).toEqual([0, 'complete']);
      expect(outcome.trips).toBe(outcome.plannedTrips);
    }
    await sayGone(card, account);
    const { batches, outcome } = await run(card, await asking(card, account, DELETE));
    expect([looks(batches), outcome.result]).toEqual([1, 'complete']);
    expect(outcome.trips).toBe(outcome.plannedTrips);
    expect(looks((await run(card, await asking(card, account, LOAD))).batches)).toBe(0);
  });

  it('settles nothing with an answer that is not its own to this very question', async () => {
    const { card: whole, identification, account } = await enabled(id);
    const other = await enabled(id);
    const foreign: string[] = [];
    for (const one of [other, { card: whole, account }]) {
      await sayGone(one.card, one.account);
      const { answer } = await run(one.card, await asking(one.card, one.account, DELETE_IDENTITY));
      foreign.push(answer ?? '');
    }
    const card = without(whole, WALLET);
    await sayGone(card, account);
    const before = await appOf(identification, 'e-wallet');
    expect(before).toMatchObject({ state: 'enabled', inDoubt: true, ground: { by: 'seen' } });
    for (const [what, forge] of FORGERIES) {
      let asked = false;
      await run(card, await asking(card, account, enableOrDelete(card)), (own) => {
        asked = true;
        return forge(own, foreign);
      });
      expect([what, asked, await appOf(identification, 'e-wallet')]).toEqual([what, true, before]);
    }
    // The next one that is its own does.
    const { job } = await run(card, await asking(card, account, enableOrDelete(card)));
    expect(await appOf(identification, 'e-wallet')).toMatchObject({ keys: null, ground: { in: { job } } });
  });

  it('settles nothing by any answer but its own', async () => {
    const { card: whole, identification, account } = await enabled(id);
    const card = without(whole, WALLET);
    await sayGone(card, account);
    await fc.assert(
      fc.asyncProperty(change, async (how) => {
        const before = await appOf(identification, 'e-wallet');
        let asked = false;
        await run(card, await asking(card, account, enableOrDelete(card)), (own) => {
          asked = true;
          const made = how(own);
          return made === own ? flip(own, 0) : made;
        });
        expect([asked, await appOf(identification, 'e-wallet')]).toEqual([true, before]);
      }),
      { numRuns: 8 },
    );
  });
});

describe.each(THREE)('a card of SCP03 (%s), whose refusals have no MAC', (id) => {
  it('loses no keys by a "not there" to a deletion that it never got', async () => {
    const { card, identification, account } = await enabled(id);
    const before = await appOf(identification, 'e-wallet');
    const asked = await asking(card, account, [{ app: 'e-wallet', action: 'delete' }]);
    const kept = inventing(card, (apdu) => apdu.startsWith('84E4'), '6A88');
    await run(kept, asked);
    expect(await appOf(identification, 'e-wallet')).toMatchObject({
      keys: null,
      kept: { keys: before?.keys },
    });
    await run(card, await asking(card, account, LOAD, WITHOUT_WALLET));
    expect(await appOf(identification, 'e-wallet')).toMatchObject({
      state: 'enabled',
      keys: before?.keys,
      ground: { by: 'seen' },
    });
  });

  it('has its list asked for in the very job that deletes what is in doubt, and it counts more than a refusal', async () => {
    const { card, identification, account } = await enabled(id);
    await sayGone(card, account);
    const asked = await asking(card, account, [{ app: 'e-wallet', action: 'delete' }]);
    const { outcome } = await run(card, asked, undefined, 'delete-app', () => '6A88');
    // The card did delete it, whatever its station made of the answer.
    expect(outcome).toMatchObject({ result: 'complete', deleted: ['e-wallet'] });
    expect(await appOf(identification, 'e-wallet')).toMatchObject({ keys: null, ground: { by: 'seen' } });
    expect((await appOf(identification, 'e-wallet'))?.kept).toBeUndefined();
  });
});

describe('a deletion', () => {
  it('is proven where the type can, though its profile asks for no MACs on answers', async () => {
    const { card, identification, account } = await enabled('offers');
    expect((await types.issue(card, account, DELETE_IDENTITY)).result).toBe('complete');
    const identity = await appOf(identification, 'identity');
    expect(identity).toMatchObject({ state: 'missing', keys: null, ground: { by: 'proven' } });
    expect(identity?.kept).toBeUndefined();
  });
});

describe('a card that is moved to the issuer’s keys', () => {
  it('is asked in the channel that finishes it', async () => {
    const { card: whole, identification } = types.type('moving').newCard();
    const account = randomDigits(16);
    await types.start(await asking(whole, account, enable('identity')));
    const card = without(whole, WALLET);
    const asked = await asking(card, account, enable('identity'));
    const silent = { ...asked, observed: asked.observed.filter(({ app }) => app !== 'e-wallet') };
    const { batches, outcome } = await run(card, silent);
    expect([looks(batches), outcome.result]).toEqual([1, 'complete']);
    expect(await appOf(identification, 'e-wallet')).toMatchObject({
      state: 'missing',
      ground: { by: 'seen' },
    });
  });
});

describe('a card whose answers can have no MAC', () => {
  it('is asked nothing, and keeps what it may have', async () => {
    const { card, identification, account } = await enabled('none');
    const before = await appOf(identification, 'e-wallet');
    const bare = without(card, WALLET);
    const { batches } = await run(bare, await asking(bare, account, LOAD));
    expect(looks(batches)).toBe(0);
    const after = await appOf(identification, 'e-wallet');
    expect(after).toMatchObject({ inDoubt: true, keys: before?.keys });
    expect(after?.ground).toBeUndefined();
  });
});

const LOAD: Wish[] = enable('campus-meal');
const DELETE: Wish[] = [{ app: 'campus-meal', action: 'delete' }];
const DELETE_IDENTITY: Wish[] = [{ app: 'identity', action: 'delete' }];
const WITHOUT_WALLET: ObservedApp[] = [{ app: 'e-wallet', state: 'missing' }];

const flip = (answer: string, at: number) => {
  const bytes = Buffer.from(answer, 'hex');
  bytes[at] = (bytes[at] ?? 0) ^ 0x01;
  return bytes.toString('hex').toUpperCase();
};

/** `foreign`: the answer of another card to the same question, and this card's of another day. */
const FORGERIES: [string, (own: string, foreign: readonly string[]) => string][] = [
  ['with one bit of its MAC changed', (own) => flip(own, own.length / 2 - 3)],
  ['with one bit of its list changed', (own) => flip(own, 4)],
  ['without its MAC', (own) => `${own.slice(0, -20)}9000`],
  ['cut', (own) => `${own.slice(0, own.length - 60)}9000`],
  ['nothing but a success', () => '9000'],
  ['said to go on', (own) => `${own.slice(0, -4)}6310`],
  ['as long as can be', (own) => `${own.slice(0, -4).padEnd(508, '0')}9000`],
  ['a refusal', () => '6A88'],
  ['an error', () => '6F00'],
  ['of another card', (_, [other]) => other ?? ''],
  ['of yesterday', (_, [, yesterday]) => yesterday ?? ''],
];

const change: fc.Arbitrary<(own: string) => string> = fc.oneof(
  fc.nat(200).map((at) => (own: string) => flip(own, at % Math.max(1, own.length / 2))),
  fc
    .nat(200)
    .map((most) => (own: string) => `${own.slice(0, Math.min(2 * most, own.length - 4))}${own.slice(-4)}`),
  fc
    .uint8Array({ maxLength: 250 })
    .map((bytes) => () => `${Buffer.from(bytes).toString('hex').toUpperCase()}9000`),
  fc
    .constantFrom('9000', '6310', '6A88', '6283', '6A80')
    .map((sw) => (own: string) => `${own.slice(0, -4)}${sw}`),
  fc.constantFrom('9000', '6310', '6A88', '6A86', '6985').map((sw) => () => sw),
);

/** A card of the type with the e-wallet enabled, at an honest station. */
async function enabled(id: string) {
  const { card, identification } = types.type(id).newCard();
  const account = randomDigits(16);
  expect(await types.issue(card, account, enable('e-wallet'))).toMatchObject({ result: 'complete' });
  return { card, identification, account };
}

/** A job that says that the e-wallet is gone, and of which nothing comes. */
async function sayGone(card: CardDevice, account: string) {
  await types.start(await asking(card, account, enable('identity'), WITHOUT_WALLET));
}

/** What an honest station asks, but for what it says it saw. */
async function asking(card: CardDevice, account: string, wishes: Wish[], said: readonly ObservedApp[] = []) {
  const asked = await types.request(card, account, wishes);
  const observed = asked.observed.map((one) => said.find(({ app }) => app === one.app) ?? one);
  return { ...asked, observed };
}

const appOf = async (card: string, app: string) => (await types.state(card)).apps[app];

/** The card, without an app that was taken off it behind everybody's back. */
const without = (card: VirtualCard, aid: string) =>
  changed(card, (image) => {
    image.instances = image.instances.filter((one) => one.aid !== aid);
    image.packages = image.packages.filter((one) => !aid.startsWith(one.aid));
  });

function changed(card: VirtualCard, change: (image: CardImage) => void): VirtualCard {
  const { image } = card;
  change(image);
  const again = new VirtualCard(image);
  again.powerOn();
  return again;
}

const enableOrDelete = (card: VirtualCard): Wish[] =>
  card.image.instances.some(({ aid }) => aid.startsWith('F04B41494B4103')) ? DELETE : LOAD;

const looks = (batches: readonly Batch[]) =>
  batches.flatMap(({ commands }) => commands).filter(({ label }) => label.step === 'read-card-state').length;

/** Carries a job whose station changes the card's answer to the look (or to `step`). Gives also the answer that the card gave. */
async function run(
  card: CardDevice,
  asked: Awaited<ReturnType<typeof asking>>,
  forge: (own: string) => string = (own) => own,
  step = 'read-card-state',
  how = forge,
) {
  const reply: JobReply = await types.start(asked);
  const batches: Batch[] = [];
  let answer: string | undefined;
  let { batch, outcome } = reply;
  while (batch !== undefined) {
    batches.push(batch);
    const report = await runBatch(card, batch);
    const at = batch.commands.findIndex(({ label }) => label.step === step);
    answer = report.answers[at] ?? answer;
    const next = await types.answer(reply.job, batch.seq, forged(report, batch, at, how));
    batch = 'batch' in next ? next.batch : undefined;
    outcome = 'outcome' in next ? next.outcome : outcome;
  }
  if (outcome === undefined) throw new Error('no outcome');
  return { job: reply.job, batches, outcome, answer };
}

/** The report as a station sends it that has changed one answer: what stood behind one that is not acceptable it says it did not send. */
function forged(
  report: AnswersRequest,
  { commands }: Batch,
  at: number,
  how: (own: string) => string,
): AnswersRequest {
  const own = report.answers[at];
  const command = commands[at];
  if (own === undefined || command === undefined) return report;
  const made = how(own);
  const answers = report.answers.map((one, i) => (i === at ? made : one));
  if (command.accept.some((prefix) => made.slice(-4).startsWith(prefix))) return { ...report, answers };
  return { ...report, answers: answers.slice(0, at + 1), stoppedAt: at };
}

/** One of each way in which a card's answers have a MAC, or none. */
function lookedAt(): readonly TypeSpec[] {
  const KEYS = {
    factoryKeys: { keyVersion: '01', diversification: { kind: 'none' } },
    issuerKeys: { put: 'add', atIssuing: false, secured: false, keyVersion: '20' },
  };
  const kdf = { ...KEYS, issuerKeys: { ...KEYS.issuerKeys, diversification: { kind: 'kdf3' } } };
  const visa = { ...KEYS, issuerKeys: { ...KEYS.issuerKeys, diversification: { kind: 'visa2' } } };
  return [
    { id: 'two', scp: '02', i: '35', atr: '9101', securityLevel: '11', ...visa },
    { id: 'three', scp: '03', i: '30', atr: '9202', securityLevel: '11', ...kdf },
    { id: 'three-all', scp: '03', i: '60', atr: '9303', securityLevel: '33', ...kdf },
    // Its channels have no MACs on answers until there is something to settle.
    { id: 'offers', scp: '03', i: '70', atr: '9404', securityLevel: '03', ...kdf },
    {
      id: 'moving',
      scp: '03',
      i: '70',
      atr: '9505',
      securityLevel: '03',
      ...kdf,
      issuerKeys: { ...kdf.issuerKeys, atIssuing: true },
    },
    { id: 'none', scp: '02', i: '15', atr: '9606', securityLevel: '01', ...visa },
  ];
}
