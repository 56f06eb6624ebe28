/** A sample of tears with PostgreSQL as the store; all of them are tried on SQLite (tears.test.ts). */
import { describe, expect, it } from 'vitest';
import { issuerRig, randomDigits, type Wish } from '../../support/jobs.ts';
import { NO_POSTGRESQL } from '../../support/postgresql.ts';
import { TearingDevice } from '../../support/visits.ts';

const why = NO_POSTGRESQL === undefined ? '' : ` (left out: ${NO_POSTGRESQL})`;

describe.skipIf(NO_POSTGRESQL !== undefined)(`power lost once, with PostgreSQL${why}`, () => {
  const rig = issuerRig('postgresql');

  it.each(['before', 'after'] as const)('at chosen commands, %s the card acted', async (when) => {
    for (const at of [2, 6, 9, 40, 95, 101]) {
      const { card, identification } = rig.newCard();
      const asked = await rig.request(card, randomDigits(16), STORY);
      const torn = new TearingDevice(card, { at, when, onTorn: () => card.powerOff() });
      const outcome = await rig.carry(torn, await rig.start(asked));
      expect(torn.struck, `torn at ${at}`).toBe(true);
      expect(outcome.result, `torn at ${at}`).toBe('complete');
      const { observed } = await rig.look(card);
      const record = await rig.record(identification);
      expect(record.jobs).toHaveLength(1);
      for (const { app, action } of STORY) {
        const state = action === 'enable' ? 'enabled' : 'missing';
        expect(observed.find((one) => one.app === app)?.state, `${app}, torn at ${at}`).toBe(state);
        expect(record.apps.find((one) => one.app === app)).toMatchObject({ state, inDoubt: false });
      }
    }
  });
});

const STORY: Wish[] = [
  { app: 'e-wallet', action: 'enable' },
  { app: 'campus-meal', action: 'enable' },
  { app: 'transit', action: 'delete' },
];
