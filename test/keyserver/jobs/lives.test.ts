/** An app's lives on one card: deleted and loaded again, half loaded and left, in doubt and found again. */
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../../app/card/bytes.ts';
import { runBatch, unconfirmed } from '../../support/forwarder.ts';
import { CAMPUS_MEAL, slotOnCard } from '../../support/issuer-steps.ts';
import { type IssuerRig, issuerRig, type JobRequest, randomDigits, type Wish } from '../../support/jobs.ts';
import type { CardDevice } from '../../support/visits.ts';
import { loseStation as lose, meddled, PowerLost, TearingDevice, VirtualCard } from '../../support/visits.ts';

const rig = issuerRig();

describe('deleted, loaded and enabled again', () => {
  it('the keys are the factory ones again in between, and the instance counter tells the lives apart', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const factory: string[] = [];
    for (let life = 1; life <= 3; life += 1) {
      const { deliveredKeys } = await liveOnce(card, account);
      factory.push(deliveredKeys);
      expect(await appOf(identification)).toMatchObject({
        state: 'enabled',
        instance: life,
        keyVersions: { mck: 1, mtk: 1 },
        loadFileHash: rig.context.package('campus-meal').hash,
      });
      expect(await rig.issue(card, account, NO_MEAL)).toMatchObject({ deleted: ['campus-meal'] });
      const deleted = await appOf(identification);
      expect(deleted).toMatchObject({ state: 'missing', loadFileHash: null });
      // Nothing is said of keys that are gone with their app.
      expect(deleted?.keyVersions).toEqual({});
      expect(await candidatesOf(identification, 'mck')).toEqual([]);
    }
    expect(new Set(factory).size).toBe(1);
  });

  /** Enables campus meal; gives the master control key as it was when just installed. */
  async function liveOnce(card: ReturnType<IssuerRig['newCard']>['card'], account: string) {
    const reply = await rig.start(await rig.request(card, account, MEAL));
    let deliveredKeys = '';
    let batch = reply.batch;
    while (batch !== undefined) {
      const report = await runBatch(card, batch);
      if (batch.commands.some((one) => one.label.step === 'install-app')) {
        deliveredKeys = slotOnCard(card, CAMPUS_MEAL, 0x39).value;
      }
      const next = await rig.answer(reply.job, batch.seq, report);
      batch = 'batch' in next ? next.batch : undefined;
    }
    expect(slotOnCard(card, CAMPUS_MEAL, 0x39).value).not.toBe(deliveredKeys);
    return { deliveredKeys };
  }
});

describe('a load torn between the package and its instance', () => {
  const tear = (card: ReturnType<IssuerRig['newCard']>['card']) =>
    // INSTALL [for load] is the first of the two.
    new TearingDevice(card, { at: 2, ins: INSTALL, when: 'before' });

  it('can be repeated where the package left behind has taken the memory', async () => {
    const { card, identification } = rig.newCard({ memory: 22_528 + 1_024 });
    const account = randomDigits(16);
    await loseStation(tear(card), await rig.request(card, account, MEAL));
    expect(card.image.packages.map((one) => one.aid)).toContain('F04B41494B410300');
    expect(await rig.issue(card, account, MEAL)).toMatchObject({ result: 'complete' });
    expect(await appOf(identification)).toMatchObject({ state: 'enabled', inDoubt: false, instance: 1 });
  });

  it('is loaded again whole: that every block was taken is the station’s word, for the answers had no MAC', async () => {
    const { card } = rig.newCard();
    const account = randomDigits(16);
    const torn = tear(card);
    const { job, batch: first } = await rig.start(await rig.request(torn, account, MEAL));
    // The station tells what every block was answered, and that the card went.
    for (let batch = first; batch !== undefined; ) {
      const report = await runBatch(torn, batch);
      const next = await rig.answer(job, batch.seq, report);
      batch = report.cardEvent === undefined && 'batch' in next ? next.batch : undefined;
    }
    torn.powerOn();
    let blocks = 0;
    const counted = meddled(card, LOAD, (command) => {
      blocks += 1;
      return card.transmit(command);
    });
    expect(await rig.issue(counted, account, MEAL)).toMatchObject({ result: 'complete' });
    expect(blocks).toBeGreaterThan(80);
  });

  it.each([
    ['by deleting the app', NO_MEAL],
    ['by any other job that opens a channel', [{ app: 'transit', action: 'delete' }] as Wish[]],
  ])('leaves no memory lost: the package goes %s', async (_name, wishes) => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    await loseStation(tear(card), await rig.request(card, account, MEAL));
    const outcome = await rig.issue(card, account, wishes);
    expect(outcome).toMatchObject({ result: 'complete' });
    expect(outcome.deleted).toEqual(wishes === NO_MEAL ? [] : ['transit']);
    expect(card.image.packages.map((one) => one.aid)).not.toContain('F04B41494B410300');
    expect(await appOf(identification)).toMatchObject({
      state: 'missing',
      inDoubt: false,
      loadFileHash: null,
    });
  });

  it('and one whose INSTALL the card refuses: said so, and removed in the same job', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const full = new TearingDevice(card, { at: 2, ins: INSTALL, scripted: 'memoryFull' });
    expect(await rig.issue(full, account, MEAL)).toMatchObject({
      result: 'partial',
      error: 'not-enough-memory',
      apps: [{ app: 'campus-meal', before: 'missing', after: 'missing' }],
    });
    expect(await appOf(identification)).toMatchObject({ state: 'missing', inDoubt: false });
    expect(await rig.issue(card, account, MEAL)).toMatchObject({ result: 'complete' });
  });

  it('a load the card refuses in its middle leaves nothing, and changed nothing', async () => {
    const { card, identification } = rig.newCard();
    const before = JSON.stringify(card.image.packages);
    const full = new TearingDevice(card, { at: 40, ins: 0xe8, scripted: 'memoryFull' });
    expect(await rig.issue(full, randomDigits(16), MEAL)).toMatchObject({
      result: 'refused',
      error: 'not-enough-memory',
    });
    expect(JSON.stringify(card.image.packages)).toBe(before);
    expect(await appOf(identification)).toMatchObject({
      state: 'missing',
      inDoubt: false,
      loadFileHash: null,
    });
  });

  it('torn at every LOAD: one retry in the same job, then it is left for another visit, and nothing is lost', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    let loads = 0;
    const torn = meddled(card, LOAD, () => {
      loads += 1;
      card.powerOff();
      throw new PowerLost();
    });
    const outcome = await rig.issue(torn, account, MEAL);
    expect(outcome).toMatchObject({
      // The card was asked afterwards: nothing is left.
      error: 'load-failed',
      apps: [{ app: 'campus-meal', after: 'missing', error: 'load-failed' }],
    });
    expect(await appOf(identification)).toMatchObject({ state: 'missing', inDoubt: false });
    expect(loads).toBe(2);
    expect(await rig.issue(card, account, MEAL)).toMatchObject({ result: 'complete' });
    expect(await appOf(identification)).toMatchObject({ state: 'enabled', instance: 1, inDoubt: false });
  });

  it('a package whose installation the card refuses is removed in the same job, and the card is as it was', async () => {
    const { card, identification } = rig.newCard();
    const before = JSON.stringify(card.image.packages);
    const refuses = meddled(card, INSTALL, (command) => refuseInstallation(card, command));
    expect(await rig.issue(refuses, randomDigits(16), MEAL)).toMatchObject({
      error: 'load-failed',
      apps: [{ app: 'campus-meal', after: 'missing', error: 'load-failed' }],
    });
    expect(JSON.stringify(card.image.packages)).toBe(before);
    expect(await appOf(identification)).toMatchObject({
      state: 'missing',
      inDoubt: false,
      loadFileHash: null,
    });
  });

  it('where it cannot be removed nobody says that nothing was left; the next job removes it', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    let loaded = false;
    const refuses = meddled(card, INSTALL, (command) => {
      loaded = command[2] === FOR_INSTALL;
      return refuseInstallation(card, command);
    });
    let deletions = 0;
    const stubborn = meddled(refuses, DELETE, (command) => {
      deletions += 1;
      return loaded ? fromHex('6985') : card.transmit(command);
    });
    expect(await rig.issue(stubborn, account, MEAL)).toMatchObject({
      error: 'load-left-behind',
      apps: [{ app: 'campus-meal', after: 'missing', error: 'load-left-behind' }],
    });
    // Once before the load, once after it.
    expect(deletions).toBe(2);
    expect(await appOf(identification)).toMatchObject({ state: 'missing', inDoubt: true });
    expect(await rig.issue(card, account, MEAL)).toMatchObject({ result: 'complete' });
    expect(await appOf(identification)).toMatchObject({ state: 'enabled', instance: 1, inDoubt: false });
  });

  it('a torn INSTALL that happened is found, with the hash of its load file', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const torn = new TearingDevice(card, { at: 2, ins: INSTALL, when: 'after' });
    await loseStation(torn, await rig.request(card, account, MEAL));
    const outcome = await rig.issue(card, account, MEAL, 'campus-meal');
    expect(outcome).toMatchObject({ result: 'complete', trips: 5 });
    expect(await appOf(identification)).toMatchObject({
      state: 'enabled',
      instance: 1,
      loadFileHash: rig.context.package('campus-meal').hash,
    });
  });
});

describe('a deletion torn', () => {
  it.each(['before', 'after'] as const)(
    'in the same job, %s the card acted: an empty purse is deleted all the same',
    async (when) => {
      const { card, identification } = rig.newCard();
      const torn = new TearingDevice(card, { at: 1, ins: DELETE, when });
      const wishes: Wish[] = [{ app: 'transit', action: 'delete' }];
      const outcome = await rig.issue(torn, randomDigits(16), wishes);
      expect(outcome).toMatchObject({ result: 'complete', deleted: ['transit'], apps: [] });
      expect(await appOf(identification, 'transit')).toMatchObject({ state: 'missing', inDoubt: false });
    },
  );

  it('and a purse with money stays, whatever was in doubt', async () => {
    const { card } = rig.newCard();
    const account = randomDigits(16);
    const wishes: Wish[] = [{ app: 'transit', action: 'delete' }];
    const torn = new TearingDevice(card, { at: 1, ins: DELETE, when: 'before' });
    await loseStation(torn, await rig.request(card, account, wishes));
    const image = card.image;
    for (const one of image.instances) if (one.applet.kind === 'fmcos') one.applet.balance = 100;

    const rich = new VirtualCard(image);
    rich.powerOn();
    const alone = unconfirmed(await rig.request(rich, account, wishes));
    expect(await rig.carry(rich, await rig.start(alone))).toMatchObject({
      error: 'purse-not-empty',
      result: 'refused',
    });
    // Though its look, mistaken or old, says that the app is gone: the card is asked.
    const asked = unconfirmed(await rig.request(rich, account, wishes));
    const observed = asked.observed.map((one) =>
      one.app === 'transit' ? { app: one.app, state: 'missing' as const } : one,
    );
    await rig.context.store
      .updateTable('card_apps')
      .set({ in_doubt: 1 })
      .where('app', '=', 'transit')
      .execute();
    const outcome = await rig.carry(rich, await rig.start({ ...asked, observed }));
    expect(outcome).toMatchObject({ error: 'confirmation-needed', deleted: [] });
  });
});

describe('a look that is mistaken', () => {
  it('takes no key from the record: the app is there again, and its keys are known', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const wallet: Wish[] = [{ app: 'e-wallet', action: 'enable' }];
    await rig.issue(card, account, wallet, 'e-wallet');
    // The station saw the enabled wallet as missing, and asks for it: nothing is loaded over it.
    const asked = await rig.request(card, account, wallet);
    const blind = asked.observed.map((one) =>
      one.app === 'e-wallet' ? { ...one, state: 'missing' as const } : one,
    );
    const outcome = await rig.carry(card, await rig.start({ ...asked, observed: blind }));
    expect(outcome).toMatchObject({
      result: 'complete',
      apps: [{ app: 'e-wallet', after: 'enabled', keyVersions: { mck: 1 } }],
    });
    expect(await candidatesOf(identification, 'mck', 'e-wallet')).toMatchObject([
      { origin: 'issuer', version: 1 },
    ]);
    expect(await appOf(identification, 'e-wallet')).toMatchObject({ state: 'enabled', instance: 1 });
  });

  it('an app observed that no profile knows, whatever its name, is passed over', async () => {
    const { card, identification } = rig.newCard();
    const wallet: Wish[] = [{ app: 'e-wallet', action: 'enable' }];
    const asked = await rig.request(card, randomDigits(16), wallet);
    const observed = [...asked.observed, { app: 'constructor', state: 'installed' as const }];
    await rig.start({ ...asked, observed });
    expect(await appOf(identification, 'constructor')).toBeUndefined();
  });
});

const NO_MEAL: Wish[] = [{ app: 'campus-meal', action: 'delete' }];

const MEAL: Wish[] = [{ app: 'campus-meal', action: 'enable' }];

const INSTALL = 0xe6;

const DELETE = 0xe4;

/** P1 of INSTALL [for install and make selectable]. */
const FOR_INSTALL = 0x0c;

/** The card takes a load, and refuses the installation that follows. */
async function refuseInstallation(card: CardDevice, command: Uint8Array): Promise<Uint8Array> {
  return command[2] === FOR_INSTALL ? fromHex('6A80') : card.transmit(command);
}

const LOAD = 0xe8;

const appOf = async (identification: string, app = 'campus-meal') =>
  (await rig.record(identification)).apps.find((one) => one.app === app);

const candidatesOf = async (identification: string, slot: 'mck' | 'mtk', app = 'campus-meal') => {
  const row = await rig.context.store
    .selectFrom('card_keys')
    .select('candidates')
    .where('card', '=', identification)
    .where('app', '=', app)
    .where('slot', '=', slot)
    .executeTakeFirst();
  return row === undefined ? [] : (JSON.parse(row.candidates) as { origin: string; version: number }[]);
};

/** Starts a job and carries it until the tear strikes; what became of it is never reported. */
async function loseStation(device: CardDevice, asked: JobRequest): Promise<void> {
  if (!(await lose(device, rig.context, asked))) throw new Error('the tear did not strike');
}
