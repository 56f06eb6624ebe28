/** Wrong keys, wrong MACs, lost answers, stations that are lost, claims of stations without the card, and one person who releases it each time: in any order. */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { releaseSetAside } from '../../../app/keyserver/recovery/release.ts';
import { KaikaError } from '../../../app/protocol/errors.ts';
import { issuerRig, onEveryStore, randomDigits, writeOperator } from '../../support/jobs.ts';
import { lost, meddled, spoiled } from '../../support/meddled.ts';
import { ENABLE, loseStation, PowerLost, triesLeft, type VirtualCard, WALLET } from '../../support/visits.ts';

onEveryStore((kind) => {
  const rig = issuerRig(kind);
  beforeAll(() => writeOperator(rig.context.store, { id: 'chief', name: 'Chief', secret: 'a long secret' }));

  it('no card loses its last try', async () => {
    const least = { tries: 3, macs: 3 };
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.array(event, { minLength: 4, maxLength: 10 }),
        async (torn, events) => {
          const { card, identification } = rig.newCard();
          const account = randomDigits(16);
          const asked = (opening: boolean) =>
            rig.request(card, account, ENABLE, opening ? 'e-wallet' : undefined);
          const play = async (one: Event) => {
            switch (one.kind) {
              case 'release': {
                const release = { card: identification, operator: 'chief', reason: 'looked at it' };
                const later = new Date(Date.now() + 120_000);
                await releaseSetAside(rig.context.store, rig.context.catalogue, release, later);
                return;
              }
              case 'claim':
                await rig.start(await asked(true));
                return;
              case 'job': {
                const bad = wrong(card, one.wrong, one.fate !== 'answered');
                if (one.fate === 'station-lost')
                  await loseStation(bad, rig.context, await asked(one.opening));
                else await rig.carry(bad, await rig.start(await asked(one.opening)));
              }
            }
          };
          // Which of two master control keys it has nobody knows then.
          if (torn) await loseStation(lost(card, WRITE_KEY, 2), rig.context, await asked(false));
          for (const one of events) {
            card.powerOn();
            await play(one).catch((error: unknown) => {
              if (!(error instanceof KaikaError) || !REFUSALS.includes(error.code)) throw error;
            });
            const left = { tries: triesLeft(card), macs: macsLeft(card) };
            least.tries = Math.min(least.tries, left.tries);
            least.macs = Math.min(least.macs, left.macs);
            expect(left.tries).toBeGreaterThanOrEqual(1);
            expect(left.macs).toBeGreaterThanOrEqual(1);
          }
        },
      ),
      { numRuns: 15, seed: 9, endOnFailure: true },
    );
    // Or nothing was shown.
    expect(least).toEqual({ tries: 1, macs: 1 });
  });
});

type Event =
  | { readonly kind: 'release' | 'claim' }
  | {
      readonly kind: 'job';
      readonly wrong: 'authentication' | 'mac';
      readonly fate: 'answered' | 'torn' | 'station-lost';
      readonly opening: boolean;
    };

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('release', 'claim') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('job'),
      wrong: fc.constantFrom('authentication', 'authentication', 'mac'),
      fate: fc.constantFrom('answered', 'torn', 'station-lost'),
      opening: fc.boolean(),
    }),
  },
);

const REFUSALS = ['card-set-aside', 'nothing-to-do', 'not-found'];
const EXTERNAL_AUTHENTICATE = 0x82;
const WRITE_KEY = 0xd4;
const UPDATE_BINARY = 0xd6;

/** A card that finds what it is sent wrong, and whose answers to it are lost with its power. */
function wrong(card: VirtualCard, what: 'authentication' | 'mac', silent: boolean) {
  return meddled(card, what === 'mac' ? UPDATE_BINARY : EXTERNAL_AUTHENTICATE, async (command) => {
    const answer = await card.transmit(spoiled(command));
    if (!silent) return answer;
    card.powerOff();
    throw new PowerLost();
  });
}

/** Wrong MACs that the wallet still takes before it locks itself, from the card. */
function macsLeft(card: VirtualCard): number {
  const applet = card.image.instances.find(({ aid }) => aid === WALLET)?.applet;
  if (applet?.kind !== 'fmcos') throw new Error('no wallet');
  return applet.locked ? 0 : 3 - (applet.files[0]?.macFailures ?? 0);
}
