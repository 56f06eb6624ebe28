/** Two people take back what a station only claimed: an account, or a whole card. */
import { beforeAll, describe, expect, it } from 'vitest';
import { forgetCard, unbindCard } from '../../../app/keyserver/recovery/unbind.ts';
import { randomDigits } from '../../support/issuer-rig.ts';
import { issuerRig, onEveryStore, refusal, storeText, writeOperator } from '../../support/jobs.ts';
import { advance, ENABLE, triesLeft } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  beforeAll(async () => {
    for (const id of ['chief', 'deputy'])
      await writeOperator(rig.context.store, { id, name: id, secret: `the ${id}’s secret` });
  });
  const audited = (card: string) =>
    rig.context.store.selectFrom('audit').selectAll().where('card', '=', card).orderBy('at').execute();

  describe('unbind', () => {
    it('frees the account of a card; one that may have its keys is set aside, and the history stays', async () => {
      const [lost, next] = [rig.newCard(), rig.newCard()];
      const account = randomDigits(16);
      await rig.issue(lost.card, account, ENABLE);
      const done = await unbindCard(rig.context.store, { ...WHY, card: lost.identification }, new Date());
      expect(done).toEqual({ setAside: true });
      expect((await rig.issue(next.card, account, ENABLE)).result).toBe('complete');
      lost.card.reset();
      expect(await refusal(rig.issue(lost.card, randomDigits(16), ENABLE))).toMatchObject({
        code: 'card-set-aside',
        details: { reason: 'account-taken-away' },
      });
      const [row] = await audited(lost.identification);
      expect(row).toMatchObject({ kind: 'unbind', operator: 'chief' });
      expect(JSON.parse(row?.detail ?? '')).toMatchObject({ second: 'deputy', reason: 'no such card' });
      expect(JSON.stringify(row)).not.toContain('secret');
    });

    it('frees one that is only kept; that card is not set aside', async () => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      await rig.start(await rig.request(card, account, ENABLE, 'e-wallet'));
      const later = new Date(Date.now() + 120_000);
      const done = await unbindCard(rig.context.store, { ...WHY, card: identification }, later);
      expect(done).toEqual({ setAside: false });
      expect((await rig.issue(rig.newCard().card, account, ENABLE)).result).toBe('complete');
    });

    it('ends the job that was out: its late answers change nothing', async () => {
      const { card, identification } = rig.newCard();
      const reply = await rig.start(await rig.request(card, randomDigits(16), ENABLE, 'e-wallet'));
      const later = new Date(Date.now() + 120_000);
      await unbindCard(rig.context.store, { ...WHY, card: identification }, later);
      expect((await refusal(advance(card, rig.context, reply, 1))).code).toBe('job-superseded');
    });
  });

  describe('forget', () => {
    it('makes a card as never seen, so that the one which really has this number is issued', async () => {
      const { card, identification } = rig.newCard();
      const account = randomDigits(16);
      // What a rogue station made the server believe of a card that is still as from the factory.
      await rig.issue(rig.newCard({ identificationCode: identification }).card, account, ENABLE);
      await forgetCard(rig.context.store, { ...WHY, card: identification }, new Date());
      expect(await rig.record(identification)).toMatchObject({ account: '', issued: false, apps: [] });
      expect((await rig.issue(card, randomDigits(16), ENABLE)).result).toBe('complete');
      expect(triesLeft(card)).toBe(3);
      const [row] = await audited(identification);
      expect(JSON.parse(row?.detail ?? '')).toMatchObject({
        second: 'deputy',
        state: { apps: { 'e-wallet': { state: 'enabled' } } },
      });
    });
  });

  it.each([
    ['unbind', unbindCard],
    ['forget', forgetCard],
  ] as const)(
    '%s needs two people who may sign in, and a card that nobody has in hand',
    async (_name, act) => {
      const { card, identification } = rig.newCard();
      await rig.issue(card, randomDigits(16), ENABLE);
      const { store } = rig.context;
      const before = await storeText(rig.context);
      const tried = async (change: object) =>
        (await refusal(act(store, { ...WHY, card: identification, ...change }, new Date()))).code;
      expect(await tried({ second: 'chief', secret: 'the chief’s secret' })).toBe('not-permitted');
      expect(await tried({ operator: 'nobody' })).toBe('not-permitted');
      expect(await tried({ second: 'nobody' })).toBe('sign-in-failed');
      expect(await tried({ secret: 'something else' })).toBe('sign-in-failed');
      expect(await tried({ card: '9999999999999999' })).toBe('not-found');
      expect(await storeText(rig.context)).toBe(before);
      card.reset();
      await rig
        .start(await rig.request(card, (await rig.record(identification)).account, ENABLE))
        .catch(() => undefined);
      const held = rig.newCard();
      await rig.start(await rig.request(held.card, randomDigits(16), ENABLE, 'e-wallet'));
      expect(await tried({ card: held.identification })).toBe('card-in-use');
    },
  );
});

const PEOPLE = { operator: 'chief', second: 'deputy', secret: 'the deputy’s secret' };
const WHY = { ...PEOPLE, reason: 'no such card' };
