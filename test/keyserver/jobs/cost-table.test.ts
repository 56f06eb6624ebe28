/**
 * The table of design §5: what a tear leaves of the two keys, and what finding out costs. Enabling and moving an app to newer keys alike;
 * torn once, then carried on by another job, on a card that allows three tries.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { randomDigits, tokenRig, type Wish } from '../../support/jobs.ts';
import { activate, addCustodian, importVersion } from '../../support/key-versions.ts';
import { loseStation, runBatch, slotOnCard, TearingDevice, triesLeft, WALLET } from '../../support/visits.ts';

const [EXTERNAL_AUTHENTICATE, WRITE_KEY, UPDATE_BINARY] = [0x82, 0xd4, 0xd6];
const KEYS: readonly Row[] = [
  ['EXTERNAL AUTHENTICATE', { ins: EXTERNAL_AUTHENTICATE, at: 1 }, 'old', 'old', 0, 0],
  ['the maintenance key write', { ins: WRITE_KEY, at: 1 }, 'old', 'in doubt', 0, 0],
  ['the master control key write', { ins: WRITE_KEY, at: 2 }, 'in doubt', 'new', 1, 0],
];
const FLAG: Row = ['the flag', { ins: UPDATE_BINARY, at: 1 }, 'new', 'new', 0, 0];

const rig = tokenRig();
beforeAll(enableOneAndImportKeys);

describe.each([
  ['enabling', 'factory 1', 'issuer 1', [...KEYS, FLAG]],
  ['moving to the second version', 'issuer 1', 'issuer 2', KEYS],
] as const)('%s', (name, old, next, rows) => {
  const renewing = name !== 'enabling';
  const newCard = async () => {
    await activate(rig, 'app/e-wallet', renewing ? 1 : 2).catch(() => undefined);
    if (!renewing) await activate(rig, 'app/e-wallet', 1);
    const made = rig.newCard();
    const account = randomDigits(16);
    if (renewing) {
      await rig.issue(made.card, account, ENABLE);
      await activate(rig, 'app/e-wallet', 2);
    }
    return { ...made, account };
  };

  describe.each(['before', 'after'] as const)('torn %s the card acted', (when) => {
    it.each(rows)('at %s', async (_where, strike, mck, mtk, ifNot, ifActed) => {
      const { card, account, identification } = await newCard();
      const torn = new TearingDevice(card, { ...strike, when });
      expect(await loseStation(torn, rig.context, await rig.request(card, account, ENABLE))).toBe(true);
      expect(await known(identification, 'mck', old, next)).toBe(mck);
      expect(await known(identification, 'mtk', old, next)).toBe(mtk);
      expect(await rig.issue(card, account, ENABLE)).toMatchObject({ result: 'complete' });
      expect(await wrongOnes(identification)).toBe(when === 'before' ? ifNot : ifActed);
      expect(triesLeft(card)).toBe(3);
      expect(slotOnCard(card, WALLET, 0x36).counter & 0x0f).toBe(3);
      expect(await known(identification, 'mck', old, next)).toBe('new');
      expect(await known(identification, 'mtk', old, next)).toBe('new');
    });
  });

  it.each(rows)(
    'certainly not sent at %s: nothing is in doubt and nothing is tried',
    async (_where, strike, mck, mtk) => {
      const { card, account, identification } = await newCard();
      let seen = 0;
      const reply = await rig.start(await rig.request(card, account, ENABLE));
      let batch = reply.batch;
      while (batch !== undefined) {
        const at = batch.commands.findIndex(
          ({ apdu }) => Number.parseInt(apdu.slice(2, 4), 16) === strike.ins,
        );
        if (at !== -1) seen += 1;
        const stops = at !== -1 && seen === strike.at;
        const report = stops
          ? {
              apiLevel: 1 as const,
              cardEpoch: batch.cardEpoch + 1,
              answers: (await runBatch(card, { ...batch, commands: batch.commands.slice(0, at) })).answers,
              stoppedAt: at,
              reached: false,
              cardEvent: 'removed' as const,
            }
          : await runBatch(card, batch);
        if (stops) card.reset();
        const answer = await rig.answer(reply.job, batch.seq, report);
        if (stops) {
          // Before the next batch raises a doubt of its own: it only looks for the card.
          expect(await known(identification, 'mck', old, next)).toBe(mck === 'in doubt' ? 'old' : mck);
          expect(await known(identification, 'mtk', old, next)).toBe(mtk === 'in doubt' ? 'old' : mtk);
        }
        batch = 'batch' in answer ? answer.batch : undefined;
      }
      expect(await wrongOnes(identification)).toBe(0);
      expect(await known(identification, 'mck', old, next)).toBe('new');
      expect(triesLeft(card)).toBe(3);
    },
  );
});

async function enableOneAndImportKeys(): Promise<void> {
  await addCustodian(rig);
  await rig.issue(rig.newCard().card, randomDigits(16), ENABLE);
  await importVersion(rig, ['app/e-wallet/mck', 'app/e-wallet/mtk'], 2);
}

const ENABLE: Wish[] = [{ app: 'e-wallet', action: 'enable' }];

type Known = 'old' | 'new' | 'in doubt';

/** Torn where; what is known of the two keys; wrong authentications when the card did not act, and when it did. */
type Row = readonly [string, { ins: number; at: number }, Known, Known, number, number];

/** What the record says of a slot, against the version it had and the one it was going to. */
async function known(identification: string, slot: 'mck' | 'mtk', old: string, next: string): Promise<Known> {
  const { apps } = await rig.state(identification);
  const candidates = (apps['e-wallet']?.keys?.[slot]?.candidates ?? []).map(
    ({ origin, version }) => `${origin} ${version}`,
  );
  if (candidates.length === 2) {
    expect(candidates).toEqual([next, old]);
    return 'in doubt';
  }
  return candidates[0] === old ? 'old' : 'new';
}

const wrongOnes = async (identification: string) =>
  (await rig.record(identification)).jobs
    .flatMap(({ steps }) => steps)
    .filter(({ sw }) => sw.startsWith('63C')).length;
