/** Cards whose profile asks for R-MAC: what the station reports of them counts when the card's own MAC is behind it. */
import { describe, expect, it } from 'vitest';
import { inventing } from '../../support/inventing.ts';
import type { AnswersRequest, Batch, JobReply, Wish } from '../../support/jobs.ts';
import { randomDigits } from '../../support/jobs.ts';
import { domainOnCard, otherTypes, type TypeSpec } from '../../support/other-type.ts';
import { type CardDevice, runBatch, TearingDevice, VirtualCard } from '../../support/visits.ts';

const types = otherTypes(typesWithRMac());

describe.each(typesWithRMac().map(({ id }) => id))('a card with R-MAC (%s)', (id) => {
  it('is loaded, enabled, deleted and loaded again, in as many trips as planned', async () => {
    const { card } = types.type(id).newCard();
    const account = randomDigits(16);
    for (const wishes of [LOAD, DELETE, LOAD]) {
      const outcome = await types.issue(card, account, wishes);
      expect(outcome).toMatchObject({ result: 'complete', trips: outcome.plannedTrips });
    }
    expect(await stateSeen(card, 'campus-meal')).toBe('enabled');
  });

  it.each([
    ['announce-load', flipped],
    ['load-block', flipped],
    ['install-app', flipped],
    ['install-app', cut],
  ])(
    '%s with an answer that is not the card’s: nothing is believed, the next job finds out',
    async (step, how) => {
      const { card, identification } = types.type(id).newCard();
      const account = randomDigits(16);
      const outcome = await carryChanged(card, await start(card, account, LOAD), answering(step, how));
      expect(outcome).toMatchObject({ result: 'partial', error: 'card-answer-unproven' });
      const { apps } = await types.state(identification);
      expect(apps['campus-meal']).toMatchObject({ state: 'missing', inDoubt: true });
      const record = await types.record(identification);
      expect(JSON.stringify(record.jobs[0])).toContain('"sw":"unproven"');
      expect(await types.issue(card, account, LOAD)).toMatchObject({ result: 'complete' });
      expect(await stateSeen(card, 'campus-meal')).toBe('enabled');
    },
  );

  it('whose installation was torn is installed by the next job, which loads nothing again', async () => {
    const { card, identification } = types.type(id).newCard();
    const account = randomDigits(16);
    await tearInstallation(card, account);
    const { apps } = await types.state(identification);
    expect(apps['campus-meal']).toMatchObject({ inDoubt: true, loaded: FILE() });
    const { outcome, steps } = await issueTold(card, account);
    expect(outcome).toMatchObject({ result: 'complete', trips: outcome.plannedTrips });
    expect(steps.filter((step) => LOADING.includes(step))).toEqual(['install-app']);
    expect(await stateSeen(card, 'campus-meal')).toBe('enabled');
    const after = (await types.state(identification)).apps['campus-meal'];
    expect(after).toMatchObject({ loadFileHash: FILE(), inDoubt: false });
    expect(after).not.toHaveProperty('loaded');
  });

  it('whose package has gone since is loaded again in the same job', async () => {
    const { card } = types.type(id).newCard();
    const account = randomDigits(16);
    const before = structuredClone(card.image.packages);
    await tearInstallation(card, account);
    const { image } = card;
    expect(image.packages).toHaveLength(before.length + 1);
    const bare = new VirtualCard({ ...image, packages: before });
    bare.powerOn();
    const { outcome, steps } = await issueTold(bare, account);
    expect(outcome).toMatchObject({ result: 'complete' });
    expect(steps.filter((step) => step === 'install-app')).toHaveLength(2);
    expect(steps).toContain('load-block');
    expect(await stateSeen(bare, 'campus-meal')).toBe('enabled');
  });

  it('is loaded again where the answer to the last block was not its own', async () => {
    const { card, identification } = types.type(id).newCard();
    const account = randomDigits(16);
    await tearInstallation(card, account, (report, batch) => {
      const last = batch.commands.findLastIndex(({ label }) => label.step === 'load-block');
      const answers = report.answers.map((answer, at) => (at === last ? flipped(answer) : answer));
      return { ...report, answers };
    });
    expect((await types.state(identification)).apps['campus-meal']).not.toHaveProperty('loaded');
    const { outcome, steps } = await issueTold(card, account);
    expect(outcome).toMatchObject({ result: 'complete' });
    expect(steps).toContain('load-block');
  });

  it('a deletion that the station only says it sent did not happen', async () => {
    const { card, identification } = types.type(id).newCard();
    const account = randomDigits(16);
    await types.issue(card, account, LOAD);
    const outcome = await carryChanged(
      inventing(card, (apdu) => apdu.startsWith('84E4'), '009000'),
      await start(card, account, DELETE),
      (report) => report,
    );
    expect(outcome).toMatchObject({ result: 'partial', deleted: [], error: 'card-answer-unproven' });
    expect(await stateSeen(card, 'campus-meal')).toBe('enabled');
    const { apps } = await types.state(identification);
    expect(apps['campus-meal']?.keys).not.toBeNull();
    expect(await types.issue(card, account, DELETE)).toMatchObject({ result: 'complete' });
    expect(await stateSeen(card, 'campus-meal')).toBe('missing');
  });

  it('the answer to another command is not an answer to this one', async () => {
    const { card } = types.type(id).newCard();
    const outcome = await carryChanged(card, await start(card, randomDigits(16), LOAD), (report, batch) => {
      const at = batch.commands.findIndex((command) => command.label.step === 'load-block');
      const answers = [...report.answers];
      if (at >= 0) answers.splice(at, 2, answers[at + 1] ?? '', answers[at] ?? '');
      return { ...report, answers };
    });
    expect(outcome).toMatchObject({ error: 'card-answer-unproven' });
  });

  it('answers that were lost with the station’s memory prove nothing, and the job goes on', async () => {
    const { card, identification } = types.type(id).newCard();
    const reply = await start(card, randomDigits(16), LOAD);
    let forgotten = false;
    const outcome = await carryChanged(card, reply, (report, batch) => {
      const last = batch.commands.findIndex((command) => command.label.step === 'install-app');
      if (forgotten || last < 0) return report;
      forgotten = true;
      card.reset();
      return { apiLevel: 1, cardEpoch: 1, answers: [], stoppedAt: last, cardEvent: 'lost' };
    });
    expect(forgotten).toBe(true);
    expect(outcome).toMatchObject({ result: 'complete' });
    const { apps } = await types.state(identification);
    expect(apps['campus-meal']).toMatchObject({ state: 'enabled', inDoubt: false });
  });

  it('that refuses is believed, as its protocol has it: SCP02 with an R-MAC, SCP03 without', async () => {
    const { card } = types.type(id).newCard();
    const asked = await types.request(card, randomDigits(16), [{ app: 'e-wallet', action: 'enable' }]);
    // A package that is in use is not removed, and so not loaded again.
    const observed = asked.observed.map((one) =>
      one.app === 'e-wallet' ? { ...one, state: 'missing' as const } : one,
    );
    const sws: string[] = [];
    const outcome = await carryChanged(card, await types.start({ ...asked, observed }), (report, batch) => {
      const at = batch.commands.findIndex((command) => command.label.step === 'remove-package');
      if (at >= 0) sws.push(report.answers[at] ?? '');
      return report;
    });
    expect(outcome).toMatchObject({ apps: [{ app: 'e-wallet', error: 'load-failed' }] });
    expect(sws).toEqual([expect.stringMatching(id.startsWith('two') ? /^[0-9A-F]{16}6985$/ : /^6985$/)]);
  });
});

/** Of those that are moved to the issuer's keys as well. */
describe.each(['two-all', 'three-all'])('keys moved with R-MAC (%s)', (id) => {
  it('are not taken for moved when the confirmation is not the card’s', async () => {
    const { card, identification } = types.type(id).newCard();
    const account = randomDigits(16);
    const outcome = await carryChanged(
      card,
      await start(card, account, LOAD),
      answering('write-domain-keys', flipped),
    );
    expect(outcome).toMatchObject({ result: 'partial', error: 'card-answer-unproven' });
    const { domain } = await types.state(identification);
    expect(domain?.candidates).toHaveLength(2);
    expect(await types.issue(card, account, LOAD)).toMatchObject({ result: 'complete' });
    expect(domainOnCard(card)).toMatchObject({ versions: [0x20], failedAuthentications: 0 });
  });

  it('are not moved by a station that keeps PUT KEY to itself', async () => {
    const { card } = types.type(id).newCard();
    const account = randomDigits(16);
    const kept = inventing(card, (apdu) => apdu.startsWith('84D8'), '20AABBCCDDEEFF0011229000');
    const outcome = await types.carry(kept, await start(card, account, LOAD));
    expect(outcome).toMatchObject({ error: 'card-answer-unproven' });
    expect(domainOnCard(card).versions).toEqual([0x01]);
    expect(await types.issue(card, account, LOAD)).toMatchObject({ result: 'complete' });
    expect(domainOnCard(card)).toMatchObject({ versions: [0x20], failedAuthentications: 0 });
  });
});

const flipped = (answer: string) => `${answer.startsWith('0') ? '1' : '0'}${answer.slice(1)}`;
const cut = (answer: string) => answer.slice(-4);

const LOAD: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

const DELETE: Wish[] = [{ app: 'campus-meal', action: 'delete' }];

/** What a dishonest station does to the answers of a batch before it reports them. */
type Change = (report: AnswersRequest, batch: Batch) => AnswersRequest;

/** Carries a job whose station changes each report. */
async function carryChanged(card: CardDevice, reply: JobReply, change: Change) {
  let batch = reply.batch;
  while (batch !== undefined) {
    const report = change(await runBatch(card, batch), batch);
    const next = await types.answer(reply.job, batch.seq, report);
    if ('outcome' in next) return next.outcome;
    batch = next.batch;
  }
  throw new Error('no outcome');
}

/** Changes the answer to the first command whose label is `step`. */
function answering(step: string, how: (answer: string) => string): Change {
  return (report, batch) => {
    const at = batch.commands.findIndex((command) => command.label.step === step);
    const answers = report.answers.map((answer, i) => (i === at ? how(answer) : answer));
    return { ...report, answers };
  };
}

async function start(card: CardDevice, account: string, wishes: Wish[]) {
  return types.start(await types.request(card, account, wishes));
}

const FILE = () => types.context.package('campus-meal').hash;

const LOADING = ['remove-package', 'announce-load', 'load-block', 'install-app'];

/** Loads the app on a card that loses power at its INSTALL [for install]; the job is not heard of again. */
async function tearInstallation(
  card: VirtualCard,
  account: string,
  change: Change = (report) => report,
): Promise<void> {
  const torn = new TearingDevice(card, { at: 2, ins: 0xe6, when: 'before' });
  const reply = await start(torn, account, LOAD);
  let batch = reply.batch;
  while (batch !== undefined) {
    const report = change(await runBatch(torn, batch), batch);
    const next = await types.answer(reply.job, batch.seq, report);
    if (report.cardEvent !== undefined) break;
    batch = 'batch' in next ? next.batch : undefined;
  }
  expect(batch).toBeDefined();
  torn.powerOn();
}

/** The app is asked for once more; with what every command of the job was for. */
async function issueTold(card: CardDevice, account: string) {
  const steps: string[] = [];
  const outcome = await carryChanged(card, await start(card, account, LOAD), (report, batch) => {
    steps.push(...batch.commands.slice(0, report.answers.length).map(({ label }) => label.step));
    return report;
  });
  return { outcome, steps };
}

async function stateSeen(card: CardDevice, app: string) {
  const { observed } = await types.look(card);
  return observed.find((one) => one.app === app)?.state;
}

/** One of each kind of channel in which answers carry a MAC. */
function typesWithRMac(): readonly TypeSpec[] {
  const none = { kind: 'none' };
  const factory = { keyVersion: '01', diversification: none };
  const kept = { put: 'add', atIssuing: false, secured: false, keyVersion: '20' };
  return [
    {
      id: 'two',
      scp: '02',
      i: '35',
      atr: '6101',
      securityLevel: '11',
      factoryKeys: factory,
      issuerKeys: { ...kept, diversification: { kind: 'visa2' } },
    },
    {
      id: 'two-all',
      scp: '02',
      i: '75',
      atr: '6202',
      securityLevel: '13',
      factoryKeys: factory,
      issuerKeys: { ...kept, put: 'replace', atIssuing: true, diversification: { kind: 'visa2' } },
    },
    {
      id: 'three',
      scp: '03',
      i: '30',
      atr: '6303',
      securityLevel: '11',
      factoryKeys: factory,
      issuerKeys: { ...kept, diversification: { kind: 'kdf3' } },
    },
    {
      id: 'three-enciphered',
      scp: '03',
      i: '20',
      atr: '6404',
      securityLevel: '13',
      factoryKeys: factory,
      issuerKeys: { ...kept, diversification: { kind: 'kdf3' } },
    },
    {
      id: 'three-all',
      scp: '03',
      i: '60',
      atr: '6505',
      securityLevel: '33',
      factoryKeys: factory,
      issuerKeys: { ...kept, atIssuing: true, secured: true, diversification: { kind: 'kdf3' } },
    },
  ];
}
