/** What one person gives back to a card, and what only two do. Cards are asked, not the record, how many tries they have left. */
import { beforeAll, describe, expect, it } from 'vitest';
import { purposesOf } from '../../../app/keyserver/keys/groups.ts';
import { retireKeys } from '../../../app/keyserver/keys/retire.ts';
import { releaseSetAside } from '../../../app/keyserver/recovery/release.ts';
import { countOnCards } from '../../../app/keyserver/store/keys-on-cards.ts';
import { PowerLost } from '../../../app/simulator/device.ts';
import { VirtualCard } from '../../../app/simulator/virtual-card.ts';
import { ENABLE } from '../../support/forwarder.ts';
import { randomDigits, tokenRig } from '../../support/issuer-rig.ts';
import { refusal, triesLeft, WALLET, withWrongKey } from '../../support/issuer-steps.ts';
import { activate, addCustodian, importVersion, keyChange } from '../../support/key-versions.ts';
import { loseStation } from '../../support/lost-station.ts';
import { lost, meddled, spoiled } from '../../support/meddled.ts';
import { writeOperator } from '../../support/operators.ts';
import { onEveryStore } from '../../support/stores.ts';

onEveryStore((kind) => {
  const rig = tokenRig(kind);
  beforeAll(async () => {
    for (const id of ['chief', 'deputy'])
      await writeOperator(rig.context.store, { id, name: id, secret: `the ${id}’s secret` });
  });
  const release = (card: string, more: object = {}) => {
    const later = new Date(Date.now() + 120_000);
    const decision = { card, operator: 'chief', reason: 'looked at it', ...more };
    return releaseSetAside(rig.context.store, rig.context.catalogue, decision, later);
  };
  const audited = async (card: string): Promise<unknown[]> => {
    const { store } = rig.context;
    const rows = await store
      .selectFrom('audit')
      .selectAll()
      .where('card', '=', card)
      .where('kind', '=', 'release')
      .execute();
    return rows.map(({ operator, detail }) => ({ operator, ...JSON.parse(detail) }));
  };
  /** Enables the wallet; what the card is asked goes through `device`. */
  const job = async (device: VirtualCard | ReturnType<typeof meddled>, account: string) => {
    device.reset();
    const { result, error } = await rig.issue(device, account, ENABLE, 'e-wallet');
    return error ?? result;
  };

  describe('a card with another key than the record’s', () => {
    const wrong = () => {
      const { card, identification } = rig.newCard();
      const other = new VirtualCard(withWrongKey(card, WALLET, AUTHENTICATION));
      other.powerOn();
      return { card: other, identification, account: randomDigits(16) };
    };

    it('gets its refusal taken back by one person, and never its last try', async () => {
      const { card, identification, account } = wrong();
      expect(await job(card, account)).toBe('card-refused-key');
      expect(await release(identification)).toEqual({ lastTries: [] });
      expect(await job(card, account)).toBe('card-refused-key');
      expect(triesLeft(card)).toBe(1);
      for (let again = 0; again < 2; again += 1) {
        await expect(release(identification)).rejects.toMatchObject({
          code: 'nothing-to-do',
          message: expect.stringMatching(/last try of e-wallet.* lock it for good.*--second ID/),
        });
        expect(await job(card, account)).toBe('card-refused-key');
      }
      expect(triesLeft(card)).toBe(1);
      expect(await audited(identification)).toHaveLength(1);
    });

    it('gets it from two people, once; both are on record', async () => {
      const { card, identification, account } = wrong();
      await job(card, account);
      await release(identification);
      await job(card, account);
      const lastTries = [{ app: 'e-wallet', slot: 'mck', granted: true }];
      expect(await release(identification, TWO)).toEqual({ lastTries });
      expect((await refusal(release(identification, TWO))).code).toBe('nothing-to-do');
      expect(await job(card, account)).toBe('card-refused-key');
      expect(triesLeft(card)).toBe(0);
      // The card itself said that none is left: there is no other to allow.
      await expect(release(identification, TWO)).rejects.toThrow('There is nothing to give');
      const slots = [{ app: 'e-wallet', slot: 'mck', spent: 2, told: 2, refused: true }];
      expect(await audited(identification)).toEqual([
        expect.objectContaining({ operator: 'chief', reason: 'looked at it' }),
        expect.objectContaining({ operator: 'chief', second: 'deputy', slots, lastTries }),
      ]);
      expect(JSON.stringify(await audited(identification))).not.toContain('secret');
    });
  });

  it('a try that two people allowed is the card’s for good where its key is right', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const bad = meddled(card, EXTERNAL_AUTHENTICATE, (command) => card.transmit(spoiled(command)));
    await job(bad, account);
    await release(identification);
    await job(bad, account);
    expect(triesLeft(card)).toBe(1);
    await release(identification, TWO);
    expect(await job(card, account)).toBe('complete');
    expect(triesLeft(card)).toBe(3);
    expect((await refusal(release(identification, TWO))).code).toBe('nothing-to-do');
  });

  it('answers that were lost may have cost tries: the next may be the last, which two people allow', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    for (let time = 0; time < 2; time += 1) {
      const silent = lost(card, EXTERNAL_AUTHENTICATE);
      expect(await loseStation(silent, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
    }
    expect(await job(card, account)).toBe('card-tries-low');
    expect((await refusal(release(identification))).code).toBe('nothing-to-do');
    expect(await job(card, account)).toBe('card-tries-low');
    // Allowed, and lost again: the card may be locked or not. Two people may find out.
    await release(identification, TWO);
    const silent = lost(card, EXTERNAL_AUTHENTICATE);
    expect(await loseStation(silent, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
    expect(await job(card, account)).toBe('card-tries-low');
    await release(identification, TWO);
    expect(await job(card, account)).toBe('complete');
  });

  it('the attempt that two people allow goes with the key that the card has not refused', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const cut = (ins: number, nth: number) =>
      meddled(card, ins, (command, count) => {
        if (count < nth) return card.transmit(command);
        card.powerOff();
        throw new PowerLost();
      });
    const unwritten = cut(WRITE_KEY, 2);
    expect(await loseStation(unwritten, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
    // The new key is tried first, and refused; the old one never comes to the card.
    const opened = await rig.request(card, account, ENABLE, 'e-wallet');
    expect(await loseStation(cut(EXTERNAL_AUTHENTICATE, 2), rig.context, opened)).toBe(true);
    expect(triesLeft(card)).toBe(2);
    expect(await job(card, account)).toBe('card-tries-low');
    await release(identification, TWO);
    expect(await job(card, account)).toBe('complete');
    expect(triesLeft(card)).toBe(3);
  });

  it('of two possible keys one person allows an attempt that leaves a try, once', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const torn = lost(card, WRITE_KEY, 2);
    expect(await loseStation(torn, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
    const silent = lost(card, EXTERNAL_AUTHENTICATE);
    expect(await loseStation(silent, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
    expect(await job(card, account)).toBe('card-tries-low');
    expect(await release(identification)).toEqual({ lastTries: [] });
    expect((await refusal(release(identification))).code).toBe('nothing-to-do');
    const spare = lost(card, EXTERNAL_AUTHENTICATE);
    expect(await loseStation(spare, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
    expect(await job(card, account)).toBe('card-tries-low');
    expect((await refusal(release(identification))).code).toBe('nothing-to-do');
    await release(identification, TWO);
    expect(await job(card, account)).toBe('complete');
  });

  it('the security domain’s last authentication takes two people as well', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const load = () => rig.issue(card, account, [{ app: 'campus-meal', action: 'enable' }]);
    await rig.issue(card, account, [{ app: 'transit', action: 'delete' }]);
    const spend = (spent: number) =>
      rig.context.store
        .updateTable('card_keys')
        .set({ spent })
        .where('card', '=', identification)
        .where('app', '=', 'isd')
        .execute();
    await spend(9);
    card.reset();
    expect((await load()).error).toBe('card-tries-low');
    await expect(release(identification)).rejects.toThrow(/last try of the card’s security domain/);
    await release(identification, TWO);
    card.reset();
    expect((await load()).result).toBe('complete');
  });

  it('takes a set-aside back although only a last try is left, and says which', async () => {
    const { card, identification } = rig.newCard();
    const account = randomDigits(16);
    const bad = meddled(card, UPDATE_BINARY, (command) => card.transmit(spoiled(command)));
    expect(await job(bad, account)).toBe('card-set-aside');
    expect(await release(identification)).toEqual({
      lastTries: [{ app: 'e-wallet', slot: 'mtk', granted: false }],
    });
    expect(await job(card, account)).toBe('card-tries-low');
  });

  describe('an app that was deleted by a card which cannot prove it', () => {
    it('may still have its keys until two people say that it is gone; then its version can be retired', async () => {
      const { store, catalogue } = rig.context;
      const { card, identification } = rig.newCard({ type: 'demo-scp02' });
      const account = randomDigits(16);
      const wish = async (action: 'enable' | 'delete') => {
        card.reset();
        return (await rig.issue(card, account, [{ app: 'identity', action }])).result;
      };
      const gone = { ...TWO, gone: 'identity' };
      expect((await refusal(release(identification, gone))).code).toBe('not-found');
      expect(await wish('enable')).toBe('complete');
      // It is on the card: nothing is kept beside what the record has.
      expect((await refusal(release(identification, gone))).code).toBe('nothing-to-do');
      expect(await wish('delete')).toBe('complete');
      const { kept } = (await rig.state(identification)).apps['identity'] ?? {};
      expect(kept).toMatchObject({ keys: { mck: { candidates: [{ origin: 'issuer', version: 1 }] } } });

      await addCustodian(rig);
      await importVersion(rig, purposesOf(catalogue, 'app/identity'), 2);
      await activate(rig, 'app/identity', 2);
      const retired = () => retireKeys(store, 1, keyChange(rig, 'app/identity'), new Date());
      const place = { kind: 'app', app: 'identity', slot: 'mck' } as const;
      expect(await countOnCards(store, place, 1)).toBe(1);
      await expect(retired()).rejects.toThrow(/may be on 1 card/);
      const { second: _nobody, ...alone } = gone;
      expect((await refusal(release(identification, alone))).code).toBe('not-permitted');
      expect((await refusal(release(identification, { ...gone, gone: 'e-wallet' }))).code).toBe(
        'nothing-to-do',
      );
      await release(identification, gone);
      expect(await countOnCards(store, place, 1)).toBe(0);
      await retired();
      expect(await audited(identification)).toEqual([
        expect.objectContaining({ operator: 'chief', second: 'deputy', gone: 'identity', kept }),
      ]);
      expect(await wish('enable')).toBe('complete');
    });

    it('is left as it is while a station has the card in hand', async () => {
      const { card, identification } = rig.newCard({ type: 'demo-scp02' });
      const account = randomDigits(16);
      for (const action of ['enable', 'delete'] as const) {
        card.reset();
        await rig.issue(card, account, [{ app: 'transit', action }]);
      }
      card.reset();
      await rig.start(await rig.request(card, account, ENABLE, 'e-wallet'));
      const decision = { card: identification, operator: 'chief', reason: 'looked at it', gone: 'transit' };
      const now = releaseSetAside(
        rig.context.store,
        rig.context.catalogue,
        { ...decision, ...TWO },
        new Date(),
      );
      expect((await refusal(now)).code).toBe('card-in-use');
      await release(identification, { ...TWO, gone: 'transit' });
      expect((await rig.state(identification)).apps['transit']?.kept).toBeUndefined();
    });
  });

  it('needs a second person who is another one and knows their secret; nothing is changed otherwise', async () => {
    const { card, identification } = rig.newCard();
    const bad = meddled(card, EXTERNAL_AUTHENTICATE, (command) => card.transmit(spoiled(command)));
    await job(bad, randomDigits(16));
    const before = await rig.state(identification);
    const tried = async (more: object) => (await refusal(release(identification, more))).code;
    expect(await tried({ second: { id: 'chief', secret: 'the chief’s secret' } })).toBe('not-permitted');
    expect(await tried({ second: { id: 'deputy', secret: 'something else' } })).toBe('sign-in-failed');
    expect(await tried({ ...TWO, operator: 'nobody' })).toBe('not-permitted');
    expect(await rig.state(identification)).toEqual(before);
    expect(await audited(identification)).toEqual([]);
  });
});

const TWO = { second: { id: 'deputy', secret: 'the deputy’s secret' } };
const EXTERNAL_AUTHENTICATE = 0x82;
const WRITE_KEY = 0xd4;
const UPDATE_BINARY = 0xd6;
const AUTHENTICATION = 0x39;
