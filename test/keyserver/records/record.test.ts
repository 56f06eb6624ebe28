/** What the record says of a card after things went well, went wrong, and changed hands. */
import { expect, it } from 'vitest';
import { cardRecordSchema } from '../../../app/protocol/card-record.ts';
import { advance, withWrongKey } from '../../support/issuer-steps.ts';
import { batchOf, issuerRig, onEveryStore, randomDigits, refusal, type Wish } from '../../support/jobs.ts';
import { CALLER, ENABLE, OTHER_CALLER, runBatch, VirtualCard, WALLET } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  const record = async (card: string) => cardRecordSchema.parse(await rig.record(card));

  it('says by whom, where and when each app was enabled, and what exactly was loaded', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await rig.issue(card, account, ENABLE, 'e-wallet');
    const load: Wish[] = [{ app: 'campus-meal', action: 'enable' }];
    await rig.issue(card, account, load, undefined, OTHER_CALLER);
    const found = await record(identification);
    const [first, second] = found.jobs;
    expect(found).toMatchObject({ issued: true, account, faults: [], earlier: null });
    const by = (app: string) => found.apps.find((one) => one.app === app)?.enabledBy;
    expect(by('e-wallet')).toEqual({
      job: first?.job,
      operator: CALLER.operator,
      // Nobody of this id is there by now.
      name: CALLER.operator,
      station: CALLER.station,
      reader: 'virtual',
      at: first?.ended,
    });
    expect(by('campus-meal')).toMatchObject({ job: second?.job, station: OTHER_CALLER.station });
    expect(by('identity')).toBeNull();
    const { hash } = rig.context.package('campus-meal');
    expect(second?.loads).toEqual([{ app: 'campus-meal', loadFileHash: hash, sw: '9000' }]);
    expect(found.apps.find((one) => one.app === 'campus-meal')?.loadFileHash).toBe(hash);

    // What is deleted was enabled by nobody.
    await rig.issue(card, account, [{ app: 'campus-meal', action: 'delete' }]);
    const after = (await record(identification)).apps.find((one) => one.app === 'campus-meal');
    expect(after).toMatchObject({ state: 'missing', enabledBy: null });
  });

  it('a card whose flag was written by a station that never said so was enabled by that station', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const lost = await rig.start(await rig.request(card, account, ENABLE, 'e-wallet'));
    const flag = await advance(card, rig.context, lost, 3);
    if (flag === undefined) throw new Error('no batch');
    await runBatch(card, flag);
    card.reset();
    await rig.issue(card, account, ENABLE, 'e-wallet');
    const found = await record(identification);
    expect(found.jobs.map(({ result }) => result)).toEqual(['superseded', 'complete']);
    expect(found.apps.find((one) => one.app === 'e-wallet')?.enabledBy).toMatchObject({ job: lost.job });
    expect(found.faults).toMatchObject([{ job: lost.job, code: 'job-superseded', app: null }]);
  });

  it('a card that refuses its key: the fault names app, code, step and status word', async () => {
    const { card, identification } = rig.newCard();
    const other = new VirtualCard(withWrongKey(card, WALLET, 0x39));
    other.powerOn();
    await rig.issue(other, randomDigits(16), ENABLE, 'e-wallet');
    const found = await record(identification);
    expect(found).toMatchObject({ issued: false, jobs: [{ result: 'refused', error: 'card-refused-key' }] });
    expect(found.faults).toEqual([
      {
        job: found.jobs[0]?.job,
        at: found.jobs[0]?.ended,
        app: 'e-wallet',
        code: 'card-refused-key',
        step: 'authenticate',
        sw: '63C2',
      },
    ]);
  });

  it('what came too late is in the old job, and the domain is told once it was used', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const lost = await rig.start(await rig.request(card, account, ENABLE, 'e-wallet'));
    const report = await runBatch(card, batchOf(lost));
    expect((await record(identification)).domain).toBeNull();
    const wishes: Wish[] = [{ app: 'transit', action: 'delete' }];
    const newer = await rig.start(await rig.request(card, account, wishes));
    const late = rig.answer(lost.job, 1, report);
    expect((await refusal(late)).code).toBe('job-superseded');
    await rig.carry(card, newer);
    const found = await record(identification);
    expect(found.jobs[0]?.late).toMatchObject([{ seq: 1, sws: ['9000', '9000'] }]);
    expect(found.domain).toMatchObject({ origin: 'factory', inDoubt: false });
  });
});
